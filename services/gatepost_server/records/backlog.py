"""Work that was accepted and not finished in time: kept until it is, whatever is restarted meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gatepost_server.domain.decision import ModerationRequest, Verdict
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError


@dataclass(frozen=True, slots=True)
class Work:
    """One image to judge later, and how often that was tried."""

    name: str  # of the verdict
    request: ModerationRequest
    held: Verdict  # what its caller was told
    attempts: int  # this one included
    accepted: float  # Unix seconds


@dataclass(frozen=True, slots=True)
class BacklogLimits:
    """The most that may wait, and how long what became of it is kept."""

    images: int = 1_000
    bytes: int = 1 << 30
    keep_s: float = 86_400.0


class Backlog(Protocol):
    """Each accepted image, until its verdict is final and for a while after.

    Every method raises GatepostError (UNAVAILABLE, STORE_UNAVAILABLE) when the store cannot be written or read.
    """

    async def put(self, name: str, request: ModerationRequest, held: Verdict) -> None:
        """Accept an image; once this returns, it outlives a crash. The same name twice changes nothing.

        Raises GatepostError (RESOURCE_EXHAUSTED, BACKLOG_FULL).
        """
        ...

    async def take(self, lease_s: float) -> Work | None:
        """The work that waits longest and is nobody's, for `lease_s` seconds; after that others may take it."""
        ...

    async def give_back(self, name: str, retry_in_s: float, *, counted: bool) -> None:
        """Not done; it may be taken again after `retry_in_s` seconds. Not `counted`: as if it had not been tried."""
        ...

    async def finish(self, name: str, verdict: Verdict) -> None:
        """Keep the final verdict and let go of the image. A name that is not here, or finished, changes nothing."""
        ...

    async def find(self, name: str) -> Verdict | None:
        """The verdict as it stands, or None. Pending until `finish`."""
        ...

    async def depth(self) -> int:
        """How many images wait or are being judged."""
        ...


def backlog_full() -> GatepostError:
    """No more can be accepted for now."""
    return GatepostError(
        ErrorCode.RESOURCE_EXHAUSTED,
        ErrorReason.BACKLOG_FULL,
        "too many images wait to be judged",
        retry_after_s=5.0,
    )


def store_unavailable() -> GatepostError:
    """What cannot be written down is not accepted."""
    return GatepostError(
        ErrorCode.UNAVAILABLE,
        ErrorReason.STORE_UNAVAILABLE,
        "the store of accepted images cannot be used at the moment",
        retry_after_s=5.0,
    )
