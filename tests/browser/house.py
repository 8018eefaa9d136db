"""A review console with a record to look at, its accounts, and people at work: served from a thread of its own."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from gatepost_server.cli.console import serving_console
from gatepost_server.console.passwords import hashed
from gatepost_server.console.settings import ConsoleSettings
from gatepost_server.domain.decision import Verdict
from gatepost_server.domain.known_bad import KnownBad
from gatepost_server.domain.labels import Decision
from gatepost_server.domain.review import ActKind
from gatepost_server.moderate.review import Review
from gatepost_server.policy.book import PolicyBook, open_book
from gatepost_server.records.accounts import Account, AccountRole
from gatepost_server.records.entry import Entry
from gatepost_server.records.images import ImageStore
from gatepost_server.records.record import NewAct
from gatepost_server.records.sealing import Sealer, new_key
from gatepost_server.records.sql_accounts import SqlAccounts
from gatepost_server.records.sql_bank import SqlBank
from gatepost_server.records.sql_record import SqlRecord
from gatepost_server.tickets.folder import KeyFolder
from gatepost_server.tickets.sign import TicketSigner
from tests.browser import cards

_Answer = TypeVar("_Answer")

PASSWORD = "correct horse battery"
PEOPLE = {
    "ana": AccountRole.REVIEWER,
    "bo": AccountRole.REVIEWER,
    "lead": AccountRole.ADMIN,
    "eve": AccountRole.VIEWER,
    "wei": AccountRole.VIEWER,  # changes language and colours
}
DAY_S = 86_400.0
_PAST = 10_000  # numbers of verdicts from before the tests


@dataclass
class Clock:
    """What the record takes for now."""

    now: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now


class House:
    """Use as a context. `address` is where the console is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = new_key()
        self.policies: PolicyBook = open_book()
        self.clock = Clock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="house", daemon=True)
        self._stop: asyncio.Event | None = None
        self._next = 0
        self.address = ""

    def __enter__(self) -> House:
        self._thread.start()
        started: threading.Event = threading.Event()
        self._running = asyncio.run_coroutine_threadsafe(self._serve(started), self._loop)
        while not started.wait(0.1):
            if self._running.done():
                self._running.result()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._running.result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    def do(self, work: Coroutine[Any, Any, _Answer]) -> _Answer:
        """In the console's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def card(self, card: cards.Card, **how: Any) -> str:
        """A fresh verdict on that picture; its id."""
        self._next += 1
        number = self._next
        created = how.pop("created", time.time() - 600.0 * number)
        entry = cards.entry(card, number, self.policies, created=created, **how)
        self.do(self.keep([entry]))
        return cards.named(number).removeprefix("verdicts/")

    def act(self, item: str, kind: ActKind, actor: str = "", *, at: float | None = None, **more: Any) -> None:
        """Somebody does something, beside the browser; now, unless told."""
        self.clock.now = time.time() if at is None else at
        name = f"console:{actor}" if actor else ""
        self.do(self._act(f"verdicts/{item}", NewAct(kind, name, **more)))

    def after(self, item: str) -> Verdict:
        """What whoever asked is told of it now."""
        kept = self.do(self.record.find(f"verdicts/{item}"))
        assert kept is not None
        signer = TicketSigner(KeyFolder(self._folder / "keys"), issuer="gatepost")
        return Review(self.record, self.policies, signer=signer).after(kept)

    def examples(self) -> Sequence[KnownBad]:
        """What is in the known-bad bank."""
        return self.do(self._examples())

    async def _examples(self) -> Sequence[KnownBad]:
        bank = SqlBank.at(str(self._folder / "bank.db"))
        try:
            return (await bank.entries())[1]
        finally:
            await bank.close()

    async def _act(self, name: str, act: NewAct) -> None:
        await self.record.act(name, act)

    async def keep(self, entries: Sequence[Entry]) -> None:
        """Images sealed, as gateways keep them."""
        sealer = Sealer.of(self._key)
        for entry in entries:
            if entry.image is not None:
                await self._images.put(entry.name, sealer.seal(entry.image, entry.name))
        await self.record.add(entries)

    async def _serve(self, started: threading.Event) -> None:
        place = str(self._folder / "record.db")
        self._images = ImageStore(str(self._folder / "images"))
        self.record = SqlRecord.in_file(Path(place))
        self.record._clock = self.clock
        ring = KeyFolder(self._folder / "keys")
        ring.init()
        accounts = SqlAccounts.at(place)
        for each in (self.record, accounts):
            await each.open()
        password = hashed(PASSWORD)
        for name, role in PEOPLE.items():
            await accounts.add(Account(name, role, password))
        await accounts.close()
        await self._past()
        settings = ConsoleSettings(
            listen="127.0.0.1:0",
            record=place,
            record_images=str(self._folder / "images"),
            image_keys=self._key,
            bank=str(self._folder / "bank.db"),
            ticket_keys=self._folder / "keys",
        )
        self._stop = asyncio.Event()
        async with serving_console(settings) as address:
            self.address = f"http://{address}"
            started.set()
            await self._stop.wait()
        await self.record.close()

    async def _past(self) -> None:
        """A month of verdicts, without images, and what people made of some of them."""
        draw, now = random.Random(7), self.clock.now
        entries, decided = [], []
        kinds = (cards.CURSED, cards.LEET, cards.OMEN, cards.KNIFE, cards.ADVERT, cards.KIND, cards.KIND, cards.KIND)
        for number in range(_PAST, _PAST + 420):
            card = draw.choice(kinds)
            created = now - DAY_S * draw.uniform(0.2, 29.5)
            later = created > now - 14 * DAY_S
            factor = min(1.15, max(0.1, draw.gauss(0.85 if later else 0.7, 0.25)))
            tenant = draw.choice(("cards", "cards", "posters"))
            opinions = 2 if draw.random() < 0.3 else 1
            made = cards.entry(
                card, number, self.policies, created=created, tenant=tenant, factor=factor, opinions=opinions
            )
            entries.append(replace(made, image=None))
            if made.decision is Decision.REVIEW or (made.decision is Decision.BLOCK and draw.random() < 0.4):
                decided.append((made, card, opinions))
        await self.record.add(entries)
        for made, card, opinions in decided:
            if made.decision is Decision.BLOCK:
                self.clock.now = made.created + 120.0
                await self.record.act(made.name, NewAct(ActKind.APPEAL, "", text="申诉"))
            right = draw.random() < (0.85 if card is not cards.ADVERT else 0.4)
            for actor in draw.sample(("console:ana", "console:bo", "console:lead"), opinions):
                same = draw.random() < 0.9
                kind = ActKind.BLOCK if right == same else ActKind.ALLOW
                self.clock.now = made.created + draw.uniform(300, 9_000)
                await self.record.act(made.name, NewAct(kind, actor))
            kept = await self.record.find(made.name)
            if kept is not None and kept.standing.waits is not None:  # they did not agree
                kind = ActKind.BLOCK if right else ActKind.ALLOW
                await self.record.act(made.name, NewAct(kind, "console:lead", senior=True))
        self.clock.now = now
