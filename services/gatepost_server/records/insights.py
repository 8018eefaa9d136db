"""What the record says as a whole: counts, samples, and what people made of verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gatepost_server.domain.decision import ModerationRequest, Verdict
from gatepost_server.domain.labels import Category, Decision
from gatepost_server.domain.review import Act, Standing


@dataclass(frozen=True, slots=True)
class Scope:
    """Final verdicts that were given from `since` on and before `until` (Unix seconds). None: whatever it is."""

    since: float
    until: float
    tenant: str | None = None
    policy: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a verdict rests on, in short. Both are empty where nothing could be seen (HOLD)."""

    name: str
    tenant: str
    created: float  # Unix seconds
    decision: Decision
    scores: Mapping[Category, float]  # after fusion; those that are numbers
    matches: frozenset[str]  # entries of the lexicon, "category:term"


@dataclass(frozen=True, slots=True)
class Handled:
    """A verdict that people did something with."""

    seen: Seen
    category: Category | None  # of the gravest reason
    acts: tuple[Act, ...]  # in order
    standing: Standing


@dataclass(frozen=True, slots=True)
class Stored:
    """A verdict with its evidence, and the request that it answers (without its image)."""

    verdict: Verdict
    request: ModerationRequest


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for people now."""

    open: int
    overdue: int


class Insights(Protocol):
    """Reads the record and never writes it. Methods raise GatepostError (UNAVAILABLE, STORE_UNAVAILABLE).

    Verdicts are named at random, so that the first ones by name are a random sample, and the same one each time.
    """

    async def tenants(self, scope: Scope) -> Sequence[str]:
        """Whose verdicts there are, by name; the scope's own tenant does not narrow them."""
        ...

    async def counts(self, scope: Scope, edges: Sequence[float]) -> Sequence[Mapping[Decision, int]]:
        """How many there are of each decision between each two edges (Unix seconds, ascending); those there are."""
        ...

    async def sample(self, scope: Scope, edges: Sequence[float], *, most: int) -> Sequence[Sequence[Seen]]:
        """`most` of those between each two edges, at random."""
        ...

    async def handled(self, scope: Scope, *, most: int) -> Sequence[Handled]:
        """Those that people did something with, the newest first."""
        ...

    async def stored(self, scope: Scope, *, most: int, after: str = "") -> Sequence[Stored]:
        """Some at random, to be judged again; the next ones `after` the name of the last."""
        ...

    async def waiting(self, now: float, tenant: str | None = None) -> Waiting:
        """What waits for people."""
        ...

    async def acts_of(self, actor: str, since: float) -> Sequence[Act]:
        """What somebody did from then on, in order."""
        ...
