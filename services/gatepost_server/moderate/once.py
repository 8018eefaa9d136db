"""The same question, asked again, is not asked of the models again."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from cachetools import TTLCache

from gatepost_server.domain.decision import ModerationRequest, Verdict
from gatepost_server.moderate.hurry import Hurry

_REMEMBERED = 100_000  # names, of about a hundred bytes each

Work = Callable[[Hurry], Awaitable[Verdict]]


def digested(request: ModerationRequest) -> ModerationRequest:
    """The request with the digest of its image: taken here of what was sent, once, whatever the request said before."""
    return replace(request, image_sha256=hashlib.sha256(request.image).hexdigest())


def fingerprint(request: ModerationRequest) -> bytes:
    """A digest of the request id and of everything that a verdict depends on. `request` is digested."""
    # Every field, quoted: the digest stands for the image.
    fields = repr(replace(request, image=b"", labels=dict(sorted(request.labels.items()))))
    return hashlib.sha256(fields.encode()).digest()


class Once:
    """Runs the work of each key once at a time, and remembers which verdict came of it for `window_s` seconds."""

    def __init__(self, *, window_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._names: TTLCache[bytes, str] = TTLCache(_REMEMBERED, window_s, timer=clock)
        self._running: dict[bytes, _Run] = {}
        self.hurried = Hurry()

    def known(self, key: bytes) -> str | None:
        """The name of the verdict that came of this key, if it is remembered."""
        return self._names.get(key)

    def hurry(self) -> None:
        """Nobody can wait any longer, for what runs and for what begins from now on."""
        self.hurried.set()
        for run in self._running.values():
            run.hurry.set()

    async def run(self, key: bytes, work: Work, *, patience_s: float | None = None) -> Verdict:
        """What `work` gives, or what the same key's work gives that is under way. Its errors are not remembered.

        A caller who leaves does not stop the work while another waits for it. One who joins work under way and
        has less time than it was given hurries it after `patience_s` seconds.
        """
        run = self._running.get(key)
        impatience: asyncio.TimerHandle | None = None
        if run is None:
            run = self._started(key, work)
        elif patience_s is not None:
            impatience = asyncio.get_running_loop().call_later(max(0.0, patience_s), run.hurry.set)
        run.waiting += 1
        try:
            return await asyncio.shield(run.task)
        finally:
            run.waiting -= 1
            if impatience is not None:
                impatience.cancel()
            if not run.waiting and not run.task.done():
                self._forget(key, run)  # at once: whoever comes now must not join what is about to be cancelled
                run.task.cancel()

    def _started(self, key: bytes, work: Work) -> _Run:
        hurry = Hurry()
        if self.hurried.is_set():
            hurry.set()
        run = self._running[key] = _Run(asyncio.ensure_future(work(hurry)), hurry)
        run.task.add_done_callback(lambda done: self._ended(key, run, done))
        return run

    def _ended(self, key: bytes, run: _Run, done: asyncio.Future[Verdict]) -> None:
        self._forget(key, run)
        if not done.cancelled() and done.exception() is None:
            self._names[key] = done.result().name

    def _forget(self, key: bytes, run: _Run) -> None:
        if self._running.get(key) is run:
            del self._running[key]


@dataclass(slots=True)
class _Run:
    task: asyncio.Future[Verdict]
    hurry: Hurry
    waiting: int = 0
