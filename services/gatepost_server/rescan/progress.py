"""What somebody who watches a re-scan sees."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from gatepost_server.rescan.job import Done


class View(Protocol):
    """Hears how far the job is."""

    def planned(self, inputs: int) -> None:
        """So many inputs were found so far."""
        ...

    def began(self, inputs: int, done: Sequence[Done]) -> None:
        """The plan is whole; `done` was there before."""
        ...

    def judged(self, rows: int, decisions: Mapping[str, int], errors: Mapping[str, int]) -> None:
        """Rows came from the workers."""
        ...

    def written(self, done: Done) -> None:
        """A shard is safe."""
        ...


class Silent:
    """A View that nobody sees."""

    def planned(self, inputs: int) -> None:
        """As View.planned."""

    def began(self, inputs: int, done: Sequence[Done]) -> None:
        """As View.began."""

    def judged(self, rows: int, decisions: Mapping[str, int], errors: Mapping[str, int]) -> None:
        """As View.judged."""

    def written(self, done: Done) -> None:
        """As View.written."""


@dataclass(slots=True)
class _Tally:
    """Rows so far, by what became of them."""

    decisions: Counter[str] = field(default_factory=Counter)
    errors: int = 0

    def add(self, decisions: Mapping[str, int], errors: Mapping[str, int]) -> None:
        self.decisions.update(decisions)
        self.errors += sum(errors.values())

    def __str__(self) -> str:
        counts = [f"{name} {count:,}" for name, count in sorted(self.decisions.items())]
        return " · ".join([*counts, f"errors {self.errors:,}"])


class Lines:
    """A View for logs: where the job begins, then a line when `every_s` seconds have passed since the last."""

    def __init__(
        self, tell: Callable[[str], None], every_s: float = 30.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tell, self._every_s, self._clock = tell, every_s, clock
        self._told = self._began = clock()
        self._tally = _Tally()
        self._inputs = self._rows = self._rows_before = 0

    def planned(self, inputs: int) -> None:
        """As View.planned."""
        self._now_and_then(lambda: f"planning: {inputs:,} images so far")

    def began(self, inputs: int, done: Sequence[Done]) -> None:
        """As View.began."""
        for each in done:
            self._tally.add(each.decisions, each.errors)
        self._inputs = inputs
        self._rows = self._rows_before = sum(each.rows for each in done)
        self._told = self._began = self._clock()
        self._tell(f"scanning: {self._rows:,} of {inputs:,} were done before")

    def judged(self, rows: int, decisions: Mapping[str, int], errors: Mapping[str, int]) -> None:
        """As View.judged."""
        self._rows += rows
        self._tally.add(decisions, errors)
        self._now_and_then(self._so_far)

    def written(self, done: Done) -> None:
        """As View.written."""

    def _so_far(self) -> str:
        speed = (self._rows - self._rows_before) / max(self._clock() - self._began, 1e-9)
        return f"scanning: {self._rows:,} of {self._inputs:,} · {speed:,.1f}/s · {self._tally}"

    def _now_and_then(self, line: Callable[[], str]) -> None:
        if self._clock() - self._told >= self._every_s:
            self._told = self._clock()
            self._tell(line())


class Bar:
    """A View on a terminal: rate, time left, decisions so far, errors. For `with`."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[counts]}"),
            console=console,
        )
        self._task = self._progress.add_task("planning", total=None, rate="", counts="")
        self._tally = _Tally()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def planned(self, inputs: int) -> None:
        """As View.planned."""
        self._progress.update(self._task, completed=inputs)

    def began(self, inputs: int, done: Sequence[Done]) -> None:
        """As View.began."""
        for each in done:
            self._tally.add(each.decisions, each.errors)
        self._progress.reset(
            self._task, description="scanning", total=inputs, completed=sum(each.rows for each in done)
        )
        self._show()

    def judged(self, rows: int, decisions: Mapping[str, int], errors: Mapping[str, int]) -> None:
        """As View.judged."""
        self._tally.add(decisions, errors)
        self._progress.advance(self._task, rows)
        self._show()

    def written(self, done: Done) -> None:
        """As View.written."""

    def _show(self) -> None:
        speed = self._progress.tasks[0].speed
        self._progress.update(
            self._task,
            counts=str(self._tally),
            rate="" if speed is None else f"{speed:,.1f}/s",
        )
