"""The backlog in a SQLite file: restarts, a clock that moves, files that are away, damage."""

from __future__ import annotations

import asyncio
import sqlite3
import stat

import pytest

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.labels import Decision
from gatepost_server.records.backlog import BacklogLimits
from gatepost_server.records.sql_backlog import SqlBacklog
from tests.builders import request
from tests.unit.records.backlog_contract import REQUEST, BacklogContract, allowed, held

LIMITS = BacklogLimits(images=3, bytes=1_000, keep_s=100.0)


class Clock:
    """Unix seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "state" / "backlog.db"


@pytest.fixture
async def backlog(file):
    opened = SqlBacklog.in_file(file, LIMITS, owner="me")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def timed(tmp_path, clock):
    opened = SqlBacklog(f"sqlite:///{tmp_path / 'timed.db'}", LIMITS, owner="me", clock=clock)
    await opened.open()
    yield opened
    await opened.close()


class TestSqliteBacklog(BacklogContract):
    async def test_the_file_and_its_helpers_are_its_owners_alone(self, backlog, file):
        await backlog.put("verdicts/1", REQUEST, held())
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
        assert set(modes.values()) == {0o600}, modes

    async def test_bytes_are_bounded_too(self, backlog):
        await backlog.put("verdicts/1", request(image=b"x" * 900), held())
        with pytest.raises(GatepostError) as caught:
            await backlog.put("verdicts/2", request(image=b"x" * 101), held("verdicts/2"))
        assert caught.value.reason is ErrorReason.BACKLOG_FULL

    async def test_a_finished_image_is_not_kept(self, backlog, file):
        await backlog.put("verdicts/1", REQUEST, held())
        await backlog.finish("verdicts/1", allowed())
        assert sqlite3.connect(file).execute("SELECT image FROM backlog").fetchall() == [(None,)]

    async def test_what_was_accepted_outlives_a_gateway_that_was_killed(self, backlog, file):
        await backlog.put("verdicts/1", REQUEST, held())
        assert await backlog.take(30.0)
        again = SqlBacklog.in_file(file, LIMITS, owner="me")  # the first is never closed, as after kill -9
        await again.open()
        work = await again.take(10.0)
        assert (work.request, work.attempts) == (REQUEST, 2)
        await again.close()

    async def test_what_another_gateway_works_on_is_left_to_it(self, backlog, file):
        await backlog.put("verdicts/1", REQUEST, held())
        assert await backlog.take(30.0)
        other = SqlBacklog.in_file(file, LIMITS, owner="other")
        await other.open()
        assert await other.take(10.0) is None
        await other.close()

    async def test_two_gateways_never_take_the_same_work(self, backlog, file):
        other = SqlBacklog.in_file(file, LIMITS, owner="other")
        await other.open()
        for number in (1, 2, 3):
            await backlog.put(f"verdicts/{number}", request(), held(f"verdicts/{number}"))
        taken = await asyncio.gather(*(each.take(10.0) for _ in range(3) for each in (backlog, other)))
        assert sorted(work.name for work in taken if work) == ["verdicts/1", "verdicts/2", "verdicts/3"]
        await other.close()

    async def test_a_file_that_was_deleted_accepts_nothing(self, backlog, file):
        await backlog.put("verdicts/1", REQUEST, held())
        aside = file.rename(file.with_suffix(".aside"))
        with pytest.raises(GatepostError) as caught:
            await backlog.put("verdicts/2", request(), held("verdicts/2"))
        assert (caught.value.code, caught.value.reason) == (ErrorCode.UNAVAILABLE, ErrorReason.STORE_UNAVAILABLE)
        aside.rename(file)
        await backlog.put("verdicts/2", request(), held("verdicts/2"))
        assert await backlog.depth() == 2

    async def test_a_full_disk_accepts_nothing_and_says_so_without_a_path(self, backlog, file):
        await backlog.put("verdicts/1", request(image=b"x"), held())
        with backlog._database.engine.begin() as connection:  # the only way to make this disk full
            connection.exec_driver_sql("PRAGMA max_page_count=1")
        with pytest.raises(GatepostError) as caught:
            await backlog.put("verdicts/2", request(prompt="p" * 200_000), held("verdicts/2"))
        assert caught.value.reason is ErrorReason.STORE_UNAVAILABLE
        assert str(file.parent) not in caught.value.message
        assert (await backlog.find("verdicts/1")).pending

    async def test_a_damaged_row_does_not_stand_in_the_way_of_those_behind_it(self, backlog, file):
        await backlog.put("verdicts/1", REQUEST, held())
        await backlog.put("verdicts/2", request(), held("verdicts/2"))
        with sqlite3.connect(file) as connection:
            connection.execute("UPDATE backlog SET request = ? WHERE name = 'verdicts/1'", (b"{",))
        assert await backlog.take(10.0) is None
        assert (await backlog.take(10.0)).name == "verdicts/2"
        told = await backlog.find("verdicts/1")
        assert (told.judgement.decision, told.pending) == (Decision.HOLD, False)

    async def test_an_unreadable_verdict_is_as_good_as_none(self, backlog, file):
        await backlog.put("verdicts/1", REQUEST, held())
        with sqlite3.connect(file) as connection:
            connection.execute("UPDATE backlog SET verdict = ?", (b'{"decision": "ALLOW"}',))
        assert await backlog.find("verdicts/1") is None


async def test_what_finished_is_kept_for_a_while_and_then_forgotten(timed, clock):
    for number in (1, 2):
        await timed.put(f"verdicts/{number}", request(), held(f"verdicts/{number}"))
    await timed.finish("verdicts/1", allowed())
    clock.now += 101.0
    assert await timed.find("verdicts/1")
    await timed.finish("verdicts/2", allowed("verdicts/2"))
    assert await timed.find("verdicts/1") is None
    assert await timed.find("verdicts/2")


@pytest.mark.parametrize("moved_s", [-86_400.0, 86_400.0])
async def test_a_clock_that_is_set_strands_nothing(timed, clock, moved_s):
    await timed.put("verdicts/1", REQUEST, held())
    await timed.take(30.0)
    clock.now += moved_s
    assert (await timed.take(30.0)).name == "verdicts/1"
