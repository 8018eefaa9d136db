"""What was asked, what came of it, and during which fault."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from benchmarks.chaos.cards import Known
from gatepost_client import Decision, GatepostError, Overloaded, Verdict
from gatepost_client.tickets import KeySource, Refusal, TicketRefused, verify

# A ticket of a server whose clock is wrong releases nothing, which is as it should be.
_WRONG_CLOCK = frozenset({Refusal.EXPIRED, Refusal.NOT_YET_VALID})


class Manner(StrEnum):
    """How a card is asked for."""

    PATIENT = "patient"  # as a caller who has time
    IMPATIENT = "impatient"  # with a deadline that the models cannot meet
    STREAM = "stream"
    OVERLOAD = "overload"  # one of far too many
    PROBE = "probe"  # is the service back?


@dataclass(slots=True, eq=False)
class Asked:
    """One request. Times are of time.monotonic."""

    card: Known
    manner: Manner
    fault: str  # what was going on when it was sent
    sent: float
    answered: float | None = None
    verdict: Verdict | None = None  # the first answer
    error: GatepostError | None = None
    final: Verdict | None = None  # what came of a verdict that was pending
    abandoned: bool = False  # its caller vanished: nobody is owed an answer

    @property
    def accepted(self) -> bool:
        """Whether the service said that it will judge it, or judged it."""
        return self.verdict is not None

    @property
    def settled(self) -> bool:
        """Whether nothing is owed any more."""
        if self.abandoned or self.error is not None:
            return True
        return self.verdict is not None and (not self.verdict.pending or self.final is not None)

    @property
    def refused(self) -> bool:
        """Whether the service said that there is no room."""
        return isinstance(self.error, Overloaded)

    def verdicts(self) -> Iterator[Verdict]:
        """Everything that was ever said of it."""
        yield from (verdict for verdict in (self.verdict, self.final) if verdict is not None)

    def answer(self, verdict: Verdict | None, error: GatepostError | None = None) -> None:
        """What the service said first."""
        self.answered = time.monotonic()
        self.verdict, self.error = verdict, None if error is None else error.detached()


@dataclass(slots=True)
class Ledger:
    """Every request of a run."""

    keys: KeySource
    fault: str = ""
    asked: list[Asked] = field(default_factory=list)

    def open(self, card: Known, manner: Manner) -> Asked:
        """A request that is about to be sent."""
        entry = Asked(card, manner, self.fault, time.monotonic())
        self.asked.append(entry)
        return entry

    def of(self, fault: str) -> Sequence[Asked]:
        """The requests that were sent during a fault."""
        return [entry for entry in self.asked if entry.fault == fault]

    def owed(self) -> int:
        """How many have no final answer yet."""
        return sum(not entry.settled for entry in self.asked)

    def wrong_allows(self, entries: Sequence[Asked]) -> list[Asked]:
        """Those that were allowed and should not have been, or without proof of a complete check."""
        return [entry for entry in entries if any(self._wrong(entry.card, verdict) for verdict in entry.verdicts())]

    def _wrong(self, card: Known, verdict: Verdict) -> bool:
        if verdict.decision is not Decision.ALLOW:
            return False
        return card.bad or not verdict.coverage.complete or not self._released(card, verdict)

    def _released(self, card: Known, verdict: Verdict) -> bool:
        """Whether the ticket is one for exactly these bytes."""
        if verdict.policy is None:
            return False
        try:
            verify(card.image, verdict.ticket, self.keys, audience=verdict.policy.name)
        except TicketRefused as refused:
            return refused.reason in _WRONG_CLOCK
        return True


def lost(entries: Sequence[Asked]) -> list[Asked]:
    """Those that were accepted, or never answered at all, and never came to a final verdict."""
    return [entry for entry in entries if not entry.settled]
