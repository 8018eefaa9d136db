"""A steady load of mixed cards, asked for in several manners, whatever happens on the other side."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any

from benchmarks.chaos.cards import Known
from benchmarks.chaos.ledger import Asked, Ledger, Manner
from gatepost_client import AsyncClient, GatepostError, Health, Item, Verdict

PATIENCE_S = 10.0
IMPATIENCE_S = 0.25
FOLLOW_S = 900.0  # longer than a whole run: a watch never gives up by itself
STREAMED = 3  # cards of one stream
STALL_S = 45.0  # longer than the service may take for one card without a deadline
MOST_OPEN = 24  # requests and watches; beyond, nothing new is asked for: what is slow today must not pile up for ever

# Of a hundred turns.
_MANNERS = {Manner.PATIENT: 70, Manner.IMPATIENT: 20, Manner.STREAM: 10}


class Load:
    """Asks through the SDK and writes everything down. Retries are off: every refusal is to be seen."""

    def __init__(self, address: str, cards: Sequence[Known], ledger: Ledger, rng: random.Random) -> None:
        self._address = address
        self._cards = cards
        self._ledger = ledger
        self._rng = rng
        self._tasks: set[asyncio.Task[None]] = set()
        self._client = AsyncClient(address, timeout=PATIENCE_S, retries=0)

    @contextlib.asynccontextmanager
    async def running(self, per_s: float) -> AsyncIterator[None]:
        """Asks for `per_s` cards a second during the block, at random moments, answered or not."""
        asking = asyncio.create_task(self._ask(per_s))
        try:
            yield
        finally:
            asking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asking

    async def settled(self, timeout_s: float) -> None:
        """Return when nothing is owed any more, or when the time is over."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while self._tasks and asyncio.get_running_loop().time() < deadline:
            await asyncio.wait(set(self._tasks), timeout=0.2, return_when=asyncio.FIRST_COMPLETED)

    async def close(self) -> None:
        """End all that is still open."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.close()

    async def serving(self) -> bool:
        """Whether the service says that it is ready."""
        try:
            return (await self._client.health(timeout=2.0)) is Health.SERVING
        except GatepostError:
            return False

    def card(self) -> Known:
        """Any card, good or bad."""
        return self._rng.choice(self._cards)

    async def one(self, card: Known, manner: Manner, timeout_s: float) -> Asked:
        """Ask for one card and return with its first answer; what is pending is followed in the background."""
        entry = self._ledger.open(card, manner)
        try:
            verdict = await self._client.moderate(
                card.image, expected_text=card.expected_text, locale=card.locale, evidence=False, timeout=timeout_s
            )
        except GatepostError as error:
            entry.answer(None, error)
        else:
            self._answered(entry, verdict=verdict)
        return entry

    def start(self, card: Known, manner: Manner, timeout_s: float) -> None:
        """As `one`, in the background."""
        self._spawn(self._one(card, manner, timeout_s))

    async def _one(self, card: Known, manner: Manner, timeout_s: float) -> None:
        await self.one(card, manner, timeout_s)

    async def _ask(self, per_s: float) -> None:
        while True:
            if len(self._tasks) >= MOST_OPEN:
                await asyncio.wait(set(self._tasks), return_when=asyncio.FIRST_COMPLETED)
                continue
            (manner,) = self._rng.choices(list(_MANNERS), list(_MANNERS.values()))
            if manner is Manner.STREAM:
                self._spawn(self._stream([self.card() for _ in range(STREAMED)]))
                await asyncio.sleep(self._rng.expovariate(per_s / STREAMED))
            else:
                self.start(self.card(), manner, PATIENCE_S if manner is Manner.PATIENT else IMPATIENCE_S)
                await asyncio.sleep(self._rng.expovariate(per_s))

    async def _stream(self, cards: Sequence[Known]) -> None:
        entries: list[Asked] = []

        def items() -> list[Item]:
            for card in cards:
                entries.append(self._ledger.open(card, Manner.STREAM))
            return [card.item() for card in cards]

        async for result in self._client.moderate_stream(items(), stall_timeout=STALL_S):
            entry = entries[result.index]
            if result.verdict is None:
                entry.answer(None, result.error)
            else:
                self._answered(entry, verdict=result.verdict)

    def _answered(self, entry: Asked, *, verdict: Verdict) -> None:
        entry.answer(verdict)
        if verdict.pending:
            self._spawn(self._follow(entry, verdict.name))

    async def _follow(self, entry: Asked, name: str) -> None:
        """Wait for what comes of a pending verdict. One that is no longer known stays without an end: it is lost."""
        with contextlib.suppress(GatepostError):
            async for verdict in self._client.watch_verdict(name, evidence=False, timeout=FOLLOW_S):
                if not verdict.pending:
                    entry.final = verdict

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
