"""Work that may be ended by somebody else, without a task that waits beside it."""

from __future__ import annotations

import asyncio

import pytest

from gatepost_server.moderate.hurry import Hurry, unless


class Work:
    """Ends when the test says so; knows whether it was cancelled."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.end = asyncio.Event()
        self.cancelled = False

    async def __call__(self) -> str:
        self.began.set()
        try:
            await self.end.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return "done"


@pytest.fixture
def work():
    return Work()


async def test_work_that_nobody_hurries_gives_its_answer(work):
    work.end.set()
    assert await unless(Hurry(), work()) == "done"


async def test_work_that_is_hurried_is_cancelled_and_gives_nothing(work):
    hurry = Hurry()
    running = asyncio.create_task(unless(hurry, work()))
    await work.began.wait()
    hurry.set()
    assert await running is None
    assert work.cancelled


async def test_who_is_in_a_hurry_already_waits_for_nothing(work):
    hurry = Hurry()
    hurry.set()
    assert await unless(hurry, work()) is None


async def test_time_that_is_over_gives_nothing(work):
    assert await unless(Hurry(), work(), within_s=0.01) is None
    assert work.cancelled


async def test_a_time_out_of_the_works_own_is_an_error_like_any_other():
    async def fails() -> str:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        await unless(Hurry(), fails())


async def test_a_caller_who_leaves_is_told_so_and_not_that_time_is_over(work):
    running = asyncio.create_task(unless(Hurry(), work()))
    await work.began.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_everybody_is_called_once_and_nobody_who_has_left():
    hurry, called = Hurry(), []
    with hurry.calling(lambda: called.append("left")):
        pass
    with hurry.calling(lambda: called.append("first")), hurry.calling(lambda: called.append("second")):
        hurry.set()
        hurry.set()
    assert called == ["first", "second"]
    with hurry.calling(lambda: called.append("late")):
        assert called[-1] == "late"
