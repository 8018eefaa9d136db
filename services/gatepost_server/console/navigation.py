"""The places that the top of every page leads to."""

from __future__ import annotations

from dataclasses import dataclass

from gatepost_server.records.accounts import AccountRole


@dataclass(frozen=True, slots=True)
class Place:
    """A link; `words` is its key in the catalogue, `key` what follows g on the keyboard."""

    path: str
    words: str
    key: str
    role: AccountRole = AccountRole.VIEWER


PLACES = (
    Place("/queue", "console.queue", "q"),
    Place("/insights", "insights.title", "i"),
    Place("/you", "console.you", "y"),
)
