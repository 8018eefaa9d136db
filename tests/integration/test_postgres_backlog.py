"""The backlog and the counts of images in a real PostgreSQL, shared by gateways: the same contract, races, a server that goes away."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest

from gatepost_server.domain.errors import ErrorReason, GatepostError
from gatepost_server.records.backlog import BacklogLimits
from gatepost_server.records.sql_backlog import SqlBacklog
from gatepost_server.records.sql_usage import SqlUsage
from tests.builders import request
from tests.unit.records.backlog_contract import REQUEST, BacklogContract, held

pytestmark = pytest.mark.integration

LIMITS = BacklogLimits(images=3, bytes=1_000)
MANY = BacklogLimits(images=100)


async def opened(url: str, limits: BacklogLimits, owner: str = "me") -> SqlBacklog:
    backlog = SqlBacklog(url, limits, owner=owner)
    await backlog.open()
    return backlog


@pytest.fixture
async def backlog(postgres_url):
    made = await opened(postgres_url, LIMITS)
    yield made
    await made.close()


class TestPostgresBacklog(BacklogContract):
    async def test_gateways_that_take_at_the_same_time_never_take_the_same(self, backlog, postgres_url):
        gateways = [await opened(postgres_url, MANY, f"gateway-{number}") for number in range(4)]
        names = [f"verdicts/{number:02}" for number in range(40)]
        for name in names:
            await gateways[0].put(name, request(), held(name))
        taken: list[str] = []

        async def work(gateway: SqlBacklog) -> None:
            while len(taken) < len(names):
                if (work := await gateway.take(30.0)) is not None:
                    taken.append(work.name)

        async with asyncio.timeout(30.0):
            await asyncio.gather(*map(work, gateways))
        assert sorted(taken) == names
        for gateway in gateways:
            await gateway.close()

    async def test_a_server_that_is_away_accepts_nothing_and_loses_nothing(self, backlog, postgres):
        await backlog.put("verdicts/1", REQUEST, held())
        await asyncio.to_thread(postgres.stop)
        with pytest.raises(GatepostError) as caught:
            await backlog.put("verdicts/2", request(), held("verdicts/2"))
        assert caught.value.reason is ErrorReason.STORE_UNAVAILABLE
        await asyncio.to_thread(postgres.start)
        async with asyncio.timeout(20.0):
            while (work := await _taken(backlog)) is None:
                await asyncio.sleep(0.1)
        assert work.request == REQUEST


async def test_gateways_that_count_at_the_same_time_lose_no_image(postgres_url):
    stores = [SqlUsage(postgres_url) for _ in range(4)]
    await asyncio.gather(*(store.open() for store in stores))
    today = date(2026, 11, 22)
    counted = {(tenant, today): 1 for tenant in ("cards", "posters")}
    async with asyncio.timeout(60.0):
        await asyncio.gather(*(store.add(counted) for store in stores for _ in range(10)))
    assert await stores[0].day(today) == {("cards", today): 40, ("posters", today): 40}
    for store in stores:
        await store.close()


async def _taken(backlog: SqlBacklog):
    try:
        return await backlog.take(30.0)
    except GatepostError:
        return None
