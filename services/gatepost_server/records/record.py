"""The record of verdicts, and of what people did with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gatepost_server.domain.answer import Ground
from gatepost_server.domain.decision import ModerationRequest, Verdict
from gatepost_server.domain.labels import Category, Decision
from gatepost_server.domain.review import Act, ActKind, QueueKind, Standing
from gatepost_server.records.entry import Entry
from gatepost_server.records.similar import AMONG, Similar

PURGE_BATCH = 500


@dataclass(frozen=True, slots=True)
class Kept:
    """A verdict as it was given, with the request that it answers (without its image) and what people did."""

    verdict: Verdict
    request: ModerationRequest
    image_kept: bool
    opinions: int
    due_s: float
    acts: tuple[Act, ...]
    standing: Standing


@dataclass(frozen=True, slots=True)
class QueueItem:
    """Something that waits for people. Times are Unix seconds."""

    verdict: str
    tenant: str
    kind: QueueKind
    category: Category | None
    severity: float  # 0 to 1
    queued: float
    due: float
    claimed_by: str  # "" where it is nobody's, or nobody's any more
    claimed_until: float


@dataclass(frozen=True, slots=True)
class QueueLoad:
    """How much of one kind waits for people."""

    items: int
    overdue: int
    oldest_s: float  # how long the oldest of them has waited


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Which items, and in which order. None: whatever it is."""

    tenant: str | None = None
    category: Category | None = None
    kind: QueueKind | None = None
    gravest_first: bool = False  # else by when it is due


@dataclass(frozen=True, slots=True)
class NewAct:
    """Something that somebody does now."""

    kind: ActKind
    actor: str
    category: Category | None = None
    text: str = ""
    undoes: int | None = None
    senior: bool = False
    ground: Ground | None = None
    due_s: float | None = None


@dataclass(frozen=True, slots=True)
class PurgeCriteria:
    """What is to be removed: whatever meets all that is said. Something must be."""

    before: float | None = None  # Unix seconds
    category: Category | None = None
    subject: str | None = None
    tenant: str | None = None
    decision: Decision | None = None
    policy: str | None = None

    def __post_init__(self) -> None:
        if not any(value is not None for value in (self.before, self.category, self.subject)):
            raise ValueError("a purge needs an age, a category or a subject")


@dataclass(frozen=True, slots=True)
class Purgeable:
    """A verdict that a purge would remove."""

    name: str
    tenant: str
    image_kept: bool


class Record(Protocol):
    """Append-only: what was written is never changed, and removed by `purge` alone.

    Every method raises GatepostError (UNAVAILABLE, STORE_UNAVAILABLE) when the store cannot be written or read.
    """

    async def add(self, entries: Sequence[Entry]) -> None:
        """Write them down, and queue those that wait for people, all or none. A name twice changes nothing."""
        ...

    async def find(self, name: str) -> Kept | None:
        """The final verdict of that name; the pending one where there is no other."""
        ...

    async def act(self, name: str, act: NewAct) -> Kept:
        """Write down what somebody does, and see to the queue; what stands then.

        Raises GatepostError: NOT_FOUND (VERDICT_UNKNOWN), and FAILED_PRECONDITION or PERMISSION_DENIED as
        domain.review.objection has it.
        """
        ...

    async def last_acts(self, names: Sequence[str]) -> Mapping[str, int]:
        """The number of the last act of each of these verdicts that there was one for."""
        ...

    async def queue(self, wanted: QueueFilter, *, most: int, after: str = "") -> tuple[Sequence[QueueItem], str]:
        """What waits for people, and where to go on: "" at the end."""
        ...

    async def waiting(self, name: str) -> QueueItem | None:
        """Its place in the queue; None where it does not wait."""
        ...

    async def queue_load(self) -> Mapping[QueueKind, QueueLoad]:
        """How much waits; kinds of which nothing does are left out."""
        ...

    async def claim(self, name: str, actor: str, lease_s: float) -> QueueItem:
        """It is `actor`'s for `lease_s` seconds, or for longer where it was already.

        Raises GatepostError (NOT_FOUND; FAILED_PRECONDITION, CLAIMED_BY_OTHER, NOTHING_TO_DECIDE).
        """
        ...

    async def give_back(self, name: str, actor: str) -> None:
        """It is nobody's again; another's stays theirs."""
        ...

    async def similar(self, name: str, *, most: int, among: int = AMONG) -> Sequence[Similar]:
        """Verdicts of its tenant on pictures like its own, among the newest ones; the most alike first."""
        ...

    async def purgeable(self, criteria: PurgeCriteria, *, most: int = PURGE_BATCH) -> Sequence[Purgeable]:
        """Some of what meets the criteria."""
        ...

    async def purge(self, names: Sequence[str], criteria: PurgeCriteria, *, actor: str, images: int) -> int:
        """Remove these, with all that people did to them, and write down who did it and why. How many there were."""
        ...
