"""Waiting that somebody else may end: nobody can wait any longer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

_Answer = TypeVar("_Answer")


class Hurry(asyncio.Event):
    """An event that also calls back, so that what may be hurried needs no task that waits beside it."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: dict[int, Callable[[], None]] = {}

    def set(self) -> None:
        """As asyncio.Event.set."""
        super().set()
        calls, self._calls = self._calls, {}
        for call in calls.values():
            call()

    @contextmanager
    def calling(self, call: Callable[[], None]) -> Iterator[None]:
        """Within the block `call` is called once it is set, at once if it is."""
        if self.is_set():
            call()
        key = id(call)
        self._calls[key] = call
        try:
            yield
        finally:
            self._calls.pop(key, None)


async def unless(hurry: Hurry, work: Awaitable[_Answer], *, within_s: float | None = None) -> _Answer | None:
    """What the work gives; None, and the work is cancelled, once `hurry` is set or the time is over."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(within_s) as limit:
            with hurry.calling(lambda: limit.reschedule(loop.time())):
                return await work
    except TimeoutError:
        if limit.expired():
            return None
        raise  # the work's own
