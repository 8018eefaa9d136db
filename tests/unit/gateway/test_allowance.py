"""Pace and quota, by a clock that the test moves."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.gateway.allowance import Allowance, Pace
from gatepost_server.gateway.tenants import open_tenants
from gatepost_server.policy.book import open_book
from gatepost_server.records.usage import Usage

BOOK = open_book()


class House:
    """An allowance for the tenants of a file, and the time."""

    def __init__(self, path, text: str) -> None:
        path.write_text(text)
        self.path = path
        self.now = 100.0
        self.today = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)
        self.closed = asyncio.Event()
        self.usage = Usage()
        self.allowance = Allowance(
            open_tenants(path, BOOK),
            self.usage,
            closed=self.closed,
            clock=lambda: self.now,
            today=lambda: self.today,
        )

    def taken(self, tenant: str, times: int) -> int:
        """How many of so many images are let in."""
        return sum(self.refusal(tenant) is None for _ in range(times))

    def refusal(self, tenant: str) -> GatepostError | None:
        try:
            self.allowance.take(tenant)
        except GatepostError as error:
            return error
        return None


@pytest.fixture
def house(tmp_path):
    return lambda text: House(tmp_path / "tenants.toml", text)


async def test_a_burst_is_let_in_and_then_the_pace(house):
    inside = house("[cards]\nimages_per_second = 2\nburst = 5\n")
    assert inside.taken("cards", 9) == 5
    refused = inside.refusal("cards")
    assert (refused.code, refused.reason) == (ErrorCode.RESOURCE_EXHAUSTED, ErrorReason.RATE_LIMITED)
    assert refused.retry_after_s == pytest.approx(0.5)
    inside.now += 0.5
    assert inside.taken("cards", 9) == 1
    inside.now += 100
    assert inside.taken("cards", 9) == 5


@pytest.mark.parametrize(("pace", "at_once"), [("0.5", 1), ("1", 1), ("3.7", 3)])
async def test_without_a_burst_it_is_the_images_of_a_second(house, pace, at_once):
    assert house(f"[cards]\nimages_per_second = {pace}\n").taken("cards", 9) == at_once


async def test_tenants_do_not_use_up_each_others_pace_or_quota(house):
    inside = house("[cards]\nimages_per_second = 1\n[posters]\nimages_per_second = 1\nimages_per_day = 1\n[free]\n")
    assert [inside.taken(tenant, 3) for tenant in ("cards", "posters", "free")] == [1, 1, 3]


async def test_a_quota_ends_the_day_and_midnight_begins_another(house):
    inside = house("[cards]\nimages_per_day = 3\n")
    assert inside.taken("cards", 5) == 3
    refused = inside.refusal("cards")
    assert (refused.code, refused.reason) == (ErrorCode.RESOURCE_EXHAUSTED, ErrorReason.QUOTA_EXCEEDED)
    assert refused.retry_after_s == 3_600.0
    inside.today += timedelta(hours=1)
    assert inside.taken("cards", 5) == 3


async def test_a_quota_of_none_lets_none_in(house):
    assert house("[cards]\nimages_per_day = 0\n").taken("cards", 1) == 0


async def test_what_is_refused_is_not_counted(house):
    inside = house("[cards]\nimages_per_second = 1\nimages_per_day = 100\n")
    inside.taken("cards", 5)
    assert inside.usage.images("cards", inside.today.date()) == 1


async def test_a_change_of_the_file_changes_pace_and_quota(house):
    inside = house("[cards]\nimages_per_second = 1\n")
    assert inside.taken("cards", 5) == 1
    inside.path.write_text("[cards]\nimages_per_second = 10\n")
    assert inside.taken("cards", 20) == 10
    inside.path.write_text("[cards]\n")
    assert inside.taken("cards", 20) == 20


async def test_a_stream_waits_for_its_turn_and_is_told_of_its_quota(house):
    inside = house("[cards]\nimages_per_second = 100\nburst = 1\nimages_per_day = 2\n")
    await inside.allowance.wait("cards")
    waiting = asyncio.create_task(inside.allowance.wait("cards"))
    await asyncio.sleep(0)
    assert not waiting.done()
    inside.now += 1
    await asyncio.wait_for(waiting, 5)
    with pytest.raises(GatepostError, match="QUOTA_EXCEEDED"):
        await inside.allowance.wait("cards")


async def test_nobody_waits_for_a_turn_while_the_gateway_drains(house):
    inside = house("[cards]\nimages_per_second = 0.001\n")
    await inside.allowance.wait("cards")
    waiting = asyncio.create_task(inside.allowance.wait("cards"))
    await asyncio.sleep(0)
    inside.closed.set()
    with pytest.raises(GatepostError, match="DRAINING"):
        await asyncio.wait_for(waiting, 5)


@given(
    rate=st.floats(0.1, 100.0),
    burst=st.integers(1, 20),
    pauses=st.lists(st.floats(0.0, 2.0), min_size=1, max_size=100),
)
def test_never_more_than_the_burst_and_the_pace_of_the_time_since(rate, burst, pauses):
    pace, now, taken = Pace(rate, burst), 0.0, []
    for pause in pauses:
        now += pause
        if pace.take(now) == 0.0:
            taken.append(now)
    for first, start in enumerate(taken):
        for count, end in enumerate(taken[first:], start=1):
            assert count <= burst + rate * (end - start) + 1e-3


@given(rate=st.floats(0.1, 100.0), burst=st.integers(1, 20), tries=st.integers(1, 60))
def test_whoever_waits_as_long_as_told_is_let_in(rate, burst, tries):
    pace, now = Pace(rate, burst), 0.0
    for _ in range(tries):
        wait_s = pace.take(now)
        if wait_s:
            now += wait_s
            assert pace.take(now) == 0.0
