"""What pages work with."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import Request

from gatepost_server.console.attempts import Attempts
from gatepost_server.console.insights.trial import Trials
from gatepost_server.console.oidc import Issuer
from gatepost_server.console.passwords import Passwords
from gatepost_server.console.sessions import Sessions
from gatepost_server.console.settings import ConsoleSettings
from gatepost_server.moderate.review import Review
from gatepost_server.policy.book import PolicyBook
from gatepost_server.records.accounts import Accounts
from gatepost_server.records.insights import Insights
from gatepost_server.records.record import Record


@dataclass(frozen=True, slots=True)
class Parts:
    """Built once and handed to the application."""

    settings: ConsoleSettings
    accounts: Accounts
    sessions: Sessions
    record: Record
    insights: Insights
    review: Review
    policies: PolicyBook
    issuer: Issuer | None = None  # of accounts that sign in elsewhere
    passwords: Passwords = field(default_factory=Passwords)
    attempts: Attempts = field(default_factory=Attempts)
    trials: Trials = field(default_factory=Trials)
    clock: Callable[[], float] = time.time


def parts_of(request: Request) -> Parts:
    """Those of the application that a request came to."""
    parts: Parts = request.app.state.parts
    return parts
