"""What a release ticket says: whose image may be shown, to whom, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# A key stays published for that long after it stopped signing, so no ticket may live longer.
LONGEST_TICKET_S = 7 * 24 * 3_600
DEFAULT_TICKET_S = 24 * 3_600


@dataclass(frozen=True, slots=True)
class TicketTerms:
    """What a policy says of its tickets."""

    audience: str
    ttl_s: int = DEFAULT_TICKET_S


@dataclass(frozen=True, slots=True)
class Release:
    """An ALLOW, as a ticket tells it."""

    verdict: str  # "verdicts/<uuid>"
    image_sha256: str  # of the encoded file, 64 hex digits
    policy: str
    policy_version: str
    models: Mapping[str, str]  # versions by name
    terms: TicketTerms
