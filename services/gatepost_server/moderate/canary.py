"""Canaries: images whose answer is known tell whether what judges can be trusted with the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import structlog

from gatepost_server.domain.errors import ErrorCode, GatepostError
from gatepost_server.domain.labels import Decision

_log = structlog.get_logger("gatepost.canary")

# No answer: away, or no room. Anything else that is not the right answer is a wrong one.
_NO_ANSWER = frozenset({ErrorCode.RESOURCE_EXHAUSTED, ErrorCode.DEADLINE_EXCEEDED, ErrorCode.UNAVAILABLE})


@dataclass(frozen=True, slots=True)
class Canary:
    """One card: `kind` names it in logs and metrics, `clean` is whether it must be allowed."""

    kind: str
    image: bytes
    clean: bool


class Outcome(StrEnum):
    """What became of a canary."""

    RIGHT = "right"
    WRONG = "wrong"
    MISSED = "missed"  # refused or out of time: may be load, and says nothing about the models


@dataclass(frozen=True, slots=True)
class CanaryAnswer:
    """One canary's outcome; `detail` is a decision or an error's reason, `seconds` how long it took."""

    kind: str
    outcome: Outcome
    detail: str
    seconds: float


@dataclass(frozen=True, slots=True)
class CanaryLimits:
    """How often canaries are sent, in seconds.

    A canary has `answer_s`. One that is missed is sent again after `missed_s`; `misses` rounds in a row without an
    answer count as a wrong one. Without trust a round follows the other after `untrusted_s`, twice as long each time up
    to `missed_s`.
    """

    interval_s: float = 60.0
    answer_s: float = 20.0
    missed_s: float = 10.0
    untrusted_s: float = 1.0
    misses: int = 3


class Canaries:
    """Sends canaries while `run` runs, one at a time. There is no trust before the first round was right."""

    def __init__(
        self,
        cards: Callable[[], Awaitable[Sequence[Canary]]],
        ask: Callable[[Canary], Awaitable[Decision]],
        limits: CanaryLimits,
        *,
        told: Callable[[CanaryAnswer], None] = lambda _: None,
        lost: Callable[[], None] = lambda: None,
    ) -> None:
        """`cards` draws a round's cards, `ask` takes one the way of every image, `told` hears of every answer.

        `lost` is called each time that there is no trust any more.
        """
        self._cards = cards
        self._ask = ask
        self._limits = limits
        self._told = told
        self._lost = lost
        self._soon = asyncio.Event()
        self._missed = 0
        self.trusted = False

    async def run(self, ready: Callable[[], Awaitable[bool]]) -> None:
        """Round after round, for ever. Nothing is sent while the models are not `ready`."""
        untrusted = 0
        try:
            while True:
                self._soon.clear()
                if await ready():
                    await self.round()
                    untrusted = 0 if self.trusted else untrusted + 1
                await self._pause(untrusted)
        except Exception:
            self._trust(False, because="nobody sends canaries any more")
            raise

    async def passed(self) -> bool:
        """Whether there is trust, as a part of the gateway's health."""
        return self.trusted

    def soon(self) -> None:
        """Send the next round now: something has changed."""
        self._soon.set()

    async def round(self) -> None:
        """One round. The first wrong answer ends the trust, and the round; one that is right throughout restores it."""
        outcomes = []
        for card in await self._drawn():
            answer = await self._answer(card)
            self._told(answer)
            outcomes.append(answer.outcome)
            if answer.outcome is not Outcome.RIGHT:
                _log.warning("canary", **_fields(answer))
            if answer.outcome is Outcome.WRONG:
                self._trust(False, because=f"{answer.kind}: {answer.detail}")
                return
        if outcomes and all(outcome is Outcome.RIGHT for outcome in outcomes):
            self._missed = 0
            self._trust(True, because="every canary was answered rightly")
            return
        self._missed += 1
        if self._missed >= self._limits.misses:
            self._trust(False, because=f"{self._missed} rounds in a row without an answer")

    async def _drawn(self) -> Sequence[Canary]:
        try:
            return await self._cards()
        except Exception as error:  # noqa: BLE001 - whatever it is, there are no canaries now, and the rounds go on
            _log.error("canaries_not_drawn", error=type(error).__name__)
            return ()

    async def _answer(self, card: Canary) -> CanaryAnswer:
        started = time.monotonic()
        outcome, detail = await self._outcome(card)
        return CanaryAnswer(card.kind, outcome, detail, time.monotonic() - started)

    async def _outcome(self, card: Canary) -> tuple[Outcome, str]:
        try:
            async with asyncio.timeout(self._limits.answer_s):
                decision = await self._ask(card)
        except TimeoutError:
            return Outcome.MISSED, "no answer in time"
        except GatepostError as error:
            return Outcome.MISSED if error.code in _NO_ANSWER else Outcome.WRONG, error.reason.value
        except Exception as error:  # noqa: BLE001 - a fault of ours on the way is no right answer either
            return Outcome.WRONG, type(error).__name__
        right = (decision is Decision.ALLOW) is card.clean
        return Outcome.RIGHT if right else Outcome.WRONG, decision.value

    def _trust(self, trusted: bool, *, because: str) -> None:
        if trusted is not self.trusted:
            self.trusted = trusted
            if not trusted:
                self._lost()
            (_log.info if trusted else _log.error)("models_trusted" if trusted else "models_not_trusted", why=because)

    async def _pause(self, untrusted: int) -> None:
        limits = self._limits
        if not self.trusted:
            seconds = min(limits.missed_s, limits.untrusted_s * 2.0 ** min(untrusted, 10))
        else:
            seconds = limits.missed_s if self._missed else limits.interval_s
        try:
            await asyncio.wait_for(self._soon.wait(), seconds)
        except TimeoutError:
            return


def _fields(answer: CanaryAnswer) -> dict[str, object]:
    return {
        "kind": answer.kind,
        "outcome": answer.outcome.value,
        "detail": answer.detail,
        "seconds": round(answer.seconds, 3),
    }
