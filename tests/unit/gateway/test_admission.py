"""Who may come in, who waits, and who is sent away."""

from __future__ import annotations

import asyncio

import pytest

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.gateway.admission import Admission, AdmissionLimits
from gatepost_server.scoring.base import Priority


def admission(images: int = 2, bulk_images: int = 1, size: int = 100) -> Admission:
    return Admission(AdmissionLimits(images=images, bulk_images=bulk_images, bytes=size, retry_after_s=0.25))


def refused(entering: Admission, size: int = 0) -> GatepostError:
    with pytest.raises(GatepostError) as caught:
        entering.enter(size)
    return caught.value


def test_the_image_that_is_one_too_many_is_refused_at_once_with_a_time_to_retry():
    inside = admission(images=2)
    with inside.enter(), inside.enter():
        error = refused(inside)
    assert (error.code, error.reason, error.retry_after_s) == (
        ErrorCode.RESOURCE_EXHAUSTED,
        ErrorReason.OVERLOADED,
        0.25,
    )
    assert inside.images == 0
    with inside.enter():
        assert inside.images == 1


def test_bytes_are_bounded_too():
    inside = admission(size=100)
    with inside.enter(60):
        assert refused(inside, 41).reason is ErrorReason.OVERLOADED
        with inside.enter(40):
            assert inside.images == 2


def test_an_image_alone_is_never_too_large_for_an_empty_house():
    with admission(size=100).enter(1_000) as ticket:
        ticket.known(2_000, Priority.INTERACTIVE)


def test_a_ticket_that_grows_beyond_the_bound_is_refused_and_leaves_nothing_behind():
    inside = admission(size=100)
    with inside.enter(60):
        with pytest.raises(GatepostError), inside.enter() as ticket:
            ticket.known(50, Priority.INTERACTIVE)
        with inside.enter(40):
            pass


async def test_streams_wait_in_order_and_have_a_share_of_their_own():
    inside = admission(images=2, bulk_images=1)
    first = await inside.wait(1)
    second, third = (asyncio.ensure_future(inside.wait(1)) for _ in range(2))
    await asyncio.sleep(0)
    assert not second.done()
    with inside.enter():  # the streams' share is full, the house is not
        pass
    inside.leave(first)
    await asyncio.sleep(0)
    assert second.done()
    assert not third.done()
    inside.leave(second.result())
    inside.leave(await third)
    assert inside.images == 0


async def test_a_waiter_that_gives_up_takes_no_place():
    inside = admission(images=1)
    ticket = await inside.wait(1)
    waiting = asyncio.ensure_future(inside.wait(1))
    await asyncio.sleep(0)
    waiting.cancel()
    inside.leave(ticket)
    await asyncio.wait({waiting})
    with inside.enter():
        pass
    assert inside.images == 0


async def test_a_waiter_cancelled_in_the_moment_it_is_let_in_gives_the_place_back():
    inside = admission(images=1)
    ticket = await inside.wait(1)
    waiting = asyncio.ensure_future(inside.wait(1))
    await asyncio.sleep(0)
    inside.leave(ticket)  # hands the place over
    waiting.cancel()  # before the waiter runs
    await asyncio.wait({waiting})
    assert inside.images == 0


async def test_a_closed_house_lets_nobody_in_and_says_when_it_is_empty():
    inside = admission(images=1)
    ticket = await inside.wait(1)
    waiting = asyncio.ensure_future(inside.wait(1))
    await asyncio.sleep(0)
    inside.close()
    with pytest.raises(GatepostError) as caught:
        await waiting
    assert caught.value.reason is ErrorReason.DRAINING
    error = refused(inside)
    assert (error.code, error.reason) == (ErrorCode.UNAVAILABLE, ErrorReason.DRAINING)
    assert error.retry_after_s
    emptied = asyncio.ensure_future(inside.emptied())
    await asyncio.sleep(0)
    assert not emptied.done()
    inside.leave(ticket)
    await emptied


async def test_the_more_urgent_goes_first_however_long_others_wait():
    inside = admission(images=1, bulk_images=1)
    ticket = await inside.wait(1)
    order: list[str] = []

    async def enter(name: str, priority: Priority) -> None:
        with await inside.wait(1, priority):
            order.append(name)

    asked = [
        ("rescan 1", Priority.RESCAN),
        ("rescan 2", Priority.RESCAN),
        ("nearline", Priority.NEARLINE),
        ("interactive 1", Priority.INTERACTIVE),
        ("interactive 2", Priority.INTERACTIVE),
    ]
    waiting = []
    for name, priority in asked:
        waiting.append(asyncio.ensure_future(enter(name, priority)))
        await asyncio.sleep(0)
    inside.leave(ticket)
    await asyncio.gather(*waiting)
    assert order == ["interactive 1", "interactive 2", "nearline", "rescan 1", "rescan 2"]


async def test_a_stream_that_somebody_waits_for_is_not_kept_to_the_share_of_the_others():
    inside = admission(images=2, bulk_images=1)
    bulk = await inside.wait(1, Priority.RESCAN)
    urgent = await asyncio.wait_for(inside.wait(1, Priority.INTERACTIVE), 1.0)
    for ticket in (bulk, urgent):
        inside.leave(ticket)


@pytest.mark.parametrize("priority", [Priority.NEARLINE, Priority.RESCAN])
def test_a_single_request_for_which_nobody_waits_is_kept_to_the_share_and_leaves_nothing_behind(priority):
    inside = admission(images=3, bulk_images=1)
    with inside.enter() as first, inside.enter() as second:
        first.known(1, priority)
        with pytest.raises(GatepostError) as caught:
            second.known(1, priority)
        assert caught.value.reason is ErrorReason.OVERLOADED
        second.known(1, Priority.INTERACTIVE)
    with inside.enter() as again, inside.enter():
        again.known(1, priority)
