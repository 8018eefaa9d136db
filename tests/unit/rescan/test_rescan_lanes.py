"""How much is asked of a gateway at a time follows what it can take."""

from __future__ import annotations

import asyncio

from gatepost_server.rescan.lanes import Lanes


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


async def entered(lanes: Lanes):
    """The way that has room now, or None."""
    return await lanes.enter(0.0)


async def test_a_gateway_that_answers_is_asked_more_at_a_time_up_to_the_most():
    lanes = Lanes(["a"], most=4)
    (lane,) = lanes.lanes
    assert lane.limit == 2.0
    for _ in range(100):
        found, _ = await entered(lanes)
        lanes.went_well(found)
        await lanes.leave(found)
    assert lane.limit == 4.0
    assert [await entered(lanes) is not None for _ in range(5)] == [True, True, True, True, False]


async def test_too_much_halves_it_once_for_all_that_was_asked_before():
    clock = Clock()
    lanes = Lanes(["a"], most=16, clock=clock)
    (lane,) = lanes.lanes
    lane.limit = 16.0
    asked = [(await entered(lanes)) for _ in range(16)]
    clock.now += 1.0
    for found, since in asked:
        lanes.too_much(found, since)
    assert lane.limit == 8.0
    for found, _ in asked:
        await lanes.leave(found)
    found, since = await entered(lanes)
    lanes.too_much(found, since)
    assert lane.limit == 4.0


async def test_a_gateway_that_asks_for_a_rest_gets_it():
    clock = Clock()
    lanes = Lanes(["a"], most=4, clock=clock)
    found, since = await entered(lanes)
    lanes.too_much(found, since, rest_s=10.0)
    await lanes.leave(found)
    assert await entered(lanes) is None
    clock.now += 10.0
    assert await entered(lanes) is not None


async def test_while_one_gateway_is_away_the_others_are_asked():
    clock = Clock()
    lanes = Lanes(["a", "b"], most=2, clock=clock)
    first, second = lanes.lanes
    found, since = await entered(lanes)
    lanes.away(found, since)
    await lanes.leave(found)
    other = second if found is first else first
    assert {(await entered(lanes))[0].name for _ in range(2)} == {other.name}
    assert await entered(lanes) is None
    clock.now += 6.0  # longer than any rest
    assert (await entered(lanes))[0] is found


async def test_whoever_waits_goes_on_as_soon_as_there_is_room():
    lanes = Lanes(["a"], most=1)
    found, _ = await entered(lanes)
    waiting = asyncio.create_task(lanes.enter(30.0))
    await asyncio.sleep(0)
    assert not waiting.done()
    await lanes.leave(found)
    again = await asyncio.wait_for(waiting, 30.0)
    assert again is not None
