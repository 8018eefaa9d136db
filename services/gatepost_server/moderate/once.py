"""The same question, asked again, is not asked of the models again."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace

from cachetools import TTLCache

from gatepost_server.domain.decision import ModerationRequest, Verdict

_REMEMBERED = 100_000  # names, of about a hundred bytes each


def fingerprint(request: ModerationRequest) -> bytes:
    """A digest of the request id and of everything that a verdict depends on."""
    fields = asdict(replace(request, image=b""))
    del fields["image"]
    text = json.dumps(fields, sort_keys=True, ensure_ascii=False, default=dict)
    return hashlib.sha256(hashlib.sha256(request.image).digest() + text.encode()).digest()


class Once:
    """Runs the work of each key once at a time, and remembers which verdict came of it for `window_s` seconds."""

    def __init__(self, *, window_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._names: TTLCache[bytes, str] = TTLCache(_REMEMBERED, window_s, timer=clock)
        self._running: dict[bytes, _Run] = {}

    def known(self, key: bytes) -> str | None:
        """The name of the verdict that came of this key, if it is remembered."""
        return self._names.get(key)

    async def run(self, key: bytes, work: Callable[[], Awaitable[Verdict]]) -> Verdict:
        """What `work` gives, or what the same key's work gives that is under way. Its errors are not remembered.

        A caller who leaves does not stop the work while another waits for it.
        """
        running = self._running.get(key)
        if running is None:
            running = self._running[key] = _Run(asyncio.ensure_future(_awaited(work)))
            running.task.add_done_callback(lambda done: self._ended(key, done))
        running.waiting += 1
        try:
            return await asyncio.shield(running.task)
        finally:
            running.waiting -= 1
            if not running.waiting:
                running.task.cancel()  # of no effect on what is done

    def _ended(self, key: bytes, done: asyncio.Task[Verdict]) -> None:
        del self._running[key]
        if not done.cancelled() and done.exception() is None:
            self._names[key] = done.result().name


@dataclass(slots=True)
class _Run:
    task: asyncio.Task[Verdict]
    waiting: int = 0


async def _awaited(work: Callable[[], Awaitable[Verdict]]) -> Verdict:
    return await work()
