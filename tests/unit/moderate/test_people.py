"""What callers hear of people, while the record is there and while it is away."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from gatepost_server.domain.errors import ErrorReason, GatepostError
from gatepost_server.domain.labels import Decision
from gatepost_server.domain.review import ActKind
from gatepost_server.moderate.people import People
from gatepost_server.moderate.review import Review
from gatepost_server.policy.book import open_book
from gatepost_server.records.backlog import store_unavailable
from gatepost_server.records.record import NewAct, PurgeCriteria
from gatepost_server.records.sql_record import SqlRecord
from tests.unit.records.record_contract import entry

NAME = "verdicts/1"
BLOCKED = NewAct(ActKind.BLOCK, "li")


class Watched(SqlRecord):
    """Counts what it is asked, and can be away."""

    looks = 0
    away = False

    async def last_acts(self, names):
        if self.away:
            raise store_unavailable()
        self.looks += 1
        return await super().last_acts(names)

    async def find(self, name):
        if self.away:
            raise store_unavailable()
        return await super().find(name)


@pytest.fixture
async def record(tmp_path):
    made = Watched(f"sqlite:///{tmp_path / 'record.db'}")
    await made.open()
    await made.add([entry(1)])
    yield made
    await made.close()


@pytest.fixture
async def people(record):
    made = People(record, Review(record, open_book()), every_s=0.01)
    following = asyncio.create_task(made.run())
    yield made
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following


async def given(record):
    return (await record.find(NAME)).verdict


async def decisions(people, verdict) -> list[Decision]:
    async with asyncio.timeout(60.0):
        return [told.judgement.decision async for told in people.watch(verdict)]


async def looked(record, more: int = 2) -> None:
    enough = record.looks + more
    async with asyncio.timeout(60.0):
        while record.looks < enough:
            await asyncio.sleep(0.005)


async def test_everybody_who_watches_hears_of_it_though_the_record_is_asked_for_all_at_once(people, record):
    verdict = await given(record)
    watching = [asyncio.create_task(decisions(people, verdict)) for _ in range(20)]
    await looked(record)
    await record.act(NAME, BLOCKED)
    assert await asyncio.gather(*watching) == [[Decision.BLOCK]] * 20


async def test_what_was_decided_before_anybody_watched_is_told_at_once(people, record):
    verdict = await given(record)
    await record.act(NAME, BLOCKED)
    assert await decisions(people, verdict) == [Decision.BLOCK]


async def test_a_note_ends_no_watch_and_is_not_told(people, record):
    watching = asyncio.create_task(decisions(people, await given(record)))
    await looked(record)
    await record.act(NAME, NewAct(ActKind.NOTE, "li", text="hm"))
    await looked(record)
    assert not watching.done()
    await record.act(NAME, BLOCKED)
    assert await watching == [Decision.BLOCK]


async def test_a_record_that_is_away_for_a_while_ends_no_watch_and_tells_no_more_than_was_given(people, record):
    verdict = await given(record)
    watching = asyncio.create_task(decisions(people, verdict))
    await looked(record)
    record.away = True
    await asyncio.sleep(0.05)
    assert await people.told(verdict) == verdict
    record.away = False
    await record.act(NAME, BLOCKED)
    assert await watching == [Decision.BLOCK]


async def test_a_verdict_that_is_removed_while_somebody_watches_is_not_found(people, record):
    await record.act(NAME, NewAct(ActKind.NOTE, "li", text="hm"))
    watching = asyncio.create_task(decisions(people, await given(record)))
    await looked(record)
    await record.purge([NAME], PurgeCriteria(before=1e12), actor="li", images=0)
    with pytest.raises(GatepostError) as refused:
        await watching
    assert refused.value.reason is ErrorReason.VERDICT_UNKNOWN


async def test_an_appeal_of_what_nobody_may_have_stopped_is_refused(people, record):
    await record.add([entry(2, Decision.ALLOW)])
    with pytest.raises(GatepostError) as refused:
        await people.appeal((await record.find("verdicts/2")).verdict, "")
    assert refused.value.reason is ErrorReason.NOTHING_TO_APPEAL
