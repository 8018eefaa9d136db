"""Counts of images: in memory, kept in a file, added up over gateways."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest

from gatepost_server.domain.errors import GatepostError
from gatepost_server.records.backlog import store_unavailable
from gatepost_server.records.sql_usage import SqlUsage
from gatepost_server.records.usage import Usage

DAY = date(2026, 11, 22)


@pytest.fixture
async def store(tmp_path):
    store = SqlUsage.in_file(tmp_path / "usage.db")
    await store.open()
    yield store
    await store.close()


def count(usage: Usage, images: int, tenant: str = "cards", day: date = DAY) -> None:
    for _ in range(images):
        usage.add(tenant, day)


async def test_without_a_store_it_counts_in_memory():
    usage = Usage()
    count(usage, 3)
    await usage.load(DAY)
    await usage.save()
    assert usage.images("cards", DAY) == 3
    assert usage.images("posters", DAY) == usage.images("cards", DAY + timedelta(1)) == 0


async def test_counts_outlive_the_process(store):
    before = Usage(store)
    count(before, 3)
    count(before, 2, "posters")
    await before.save()
    count(before, 1)
    await before.save()
    assert before.images("cards", DAY) == 4
    after = Usage(store)
    await after.load(DAY)
    assert (after.images("cards", DAY), after.images("posters", DAY)) == (4, 2)


async def test_gateways_that_share_a_store_hear_of_each_other(store):
    ours, theirs = Usage(store), Usage(store)
    count(ours, 3)
    count(theirs, 5)
    await ours.save()
    await theirs.save()
    await ours.save()
    assert ours.images("cards", DAY) == theirs.images("cards", DAY) == 8


async def test_what_is_counted_while_it_is_saved_is_neither_lost_nor_counted_twice(store):
    usage = Usage(store)
    count(usage, 3)
    saving = asyncio.create_task(usage.save())
    await asyncio.sleep(0)
    count(usage, 2)
    assert usage.images("cards", DAY) == 5
    await saving
    assert usage.images("cards", DAY) == 5
    await usage.save()
    assert await store.day(DAY) == {("cards", DAY): 5}


async def test_a_new_day_begins_at_nothing_and_the_old_one_is_kept(store):
    usage = Usage(store)
    count(usage, 3)
    await usage.save()
    tomorrow = DAY + timedelta(1)
    count(usage, 1, day=tomorrow)
    await usage.save()
    assert usage.images("cards", tomorrow) == 1
    assert await store.day(DAY) == {("cards", DAY): 3}
    count(usage, 1, day=DAY + timedelta(500))
    await usage.save()
    assert await store.day(DAY) == {}


async def test_a_store_that_is_away_stops_nobody_and_loses_nothing(store, monkeypatch):
    usage = Usage(store)
    count(usage, 3)

    async def away(_):
        raise store_unavailable()

    with monkeypatch.context() as patched:
        patched.setattr(store, "add", away)
        await usage.save()
        count(usage, 2)
        await usage.save()
    assert usage.images("cards", DAY) == 5
    await usage.save()
    assert await store.day(DAY) == {("cards", DAY): 5}


async def test_it_saves_once_in_a_while_and_when_it_ends(store):
    usage = Usage(store)
    running = asyncio.create_task(usage.run(0.01))
    count(usage, 3)
    async with asyncio.timeout(10):
        while await store.day(DAY) != {("cards", DAY): 3}:
            await asyncio.sleep(0.01)
    count(usage, 1)
    running.cancel()
    await asyncio.wait({running}, timeout=10)
    assert await store.day(DAY) == {("cards", DAY): 4}


async def test_a_file_that_is_no_database_is_said_when_it_is_opened(tmp_path):
    (tmp_path / "usage.db").write_text("nonsense, and enough of it to be no SQLite header" * 10)
    store = SqlUsage.in_file(tmp_path / "usage.db")
    with pytest.raises(GatepostError, match="STORE_UNAVAILABLE"):
        await store.open()
    await store.close()
