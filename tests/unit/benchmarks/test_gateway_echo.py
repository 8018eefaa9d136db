"""The gateway's share of an echo, from what the turns counted."""

from __future__ import annotations

import pytest

from benchmarks.gateway_echo.__main__ import AT_A_TIME, LEAST, Turn, figures
from benchmarks.gateway_echo.servers import ECHO, GATEWAY, METHODS, SINK

CALLS = {GATEWAY: (300, 340, 260), ECHO: (600, 640, 560), SINK: (900, 900, 900)}


def measured():
    return {
        (name, at_a_time): [Turn(calls, 1.0, 0.5, 0.2) for calls in CALLS[name]]
        for name in METHODS
        for at_a_time in AT_A_TIME
    }


@pytest.fixture
def rows():
    return {row.name: row for row in figures(measured())}


def test_the_share_is_that_of_all_rounds_and_lies_in_its_interval(rows):
    for at_a_time in AT_A_TIME:
        share = rows[f"requests/s to the echo's, {at_a_time} at a time"]
        assert share.value == pytest.approx(0.5)
        assert share.low < share.value < share.high
        assert (share.met, share.target) == (False, f">= {LEAST:g}")
    assert rows["requests/s to the sink's, 1 at a time"].value == pytest.approx(1 / 3)
    assert rows["requests/s to the sink's, 1 at a time"].met is None


def test_processor_time_is_the_servers_a_request(rows):
    assert rows["gateway, 4 at a time: processor"].value == pytest.approx(1e6 * 1.5 / 900)
    more = rows["processor, more than the echo, 4 at a time"]
    assert more.value == pytest.approx(1e6 * 1.5 / 900 - 1e6 * 1.5 / 1800)


def test_rounds_are_drawn_for_both_servers_alike():
    turns = measured()
    turns[GATEWAY, 1] = [Turn(turn.calls // 2, 1.0, 0.5, 0.2) for turn in turns[ECHO, 1]]
    share = {row.name: row for row in figures(turns)}["requests/s to the echo's, 1 at a time"]
    assert (share.low, share.value, share.high) == pytest.approx((0.5, 0.5, 0.5))
