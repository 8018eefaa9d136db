"""What somebody who watches a re-scan sees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
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
        self._decisions: Counter[str] = Counter()
        self._errors = 0

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
            self._decisions.update(each.decisions)
            self._errors += sum(each.errors.values())
        self._progress.reset(
            self._task, description="scanning", total=inputs, completed=sum(each.rows for each in done)
        )
        self._show()

    def judged(self, rows: int, decisions: Mapping[str, int], errors: Mapping[str, int]) -> None:
        """As View.judged."""
        self._decisions.update(decisions)
        self._errors += sum(errors.values())
        self._progress.advance(self._task, rows)
        self._show()

    def written(self, done: Done) -> None:
        """As View.written."""

    def _show(self) -> None:
        counts = [f"{name} {count:,}" for name, count in sorted(self._decisions.items())]
        speed = self._progress.tasks[0].speed
        self._progress.update(
            self._task,
            counts=" · ".join([*counts, f"errors {self._errors:,}"]),
            rate="" if speed is None else f"{speed:,.1f}/s",
        )
