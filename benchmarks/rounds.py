"""Contestants of a comparison: processes of their own that do the same work in turns, a round at a time.

The child says when it is ready; then each line of its input asks for a round ("run") or for what it reads ("read").
Several children of one contestant share the files among them and run at once.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.paddle_reference import Line

RUN, READ = "run", "read"
Work = Callable[[Path], Sequence[Line]]  # everything that is done for one image; what was read of it
Told = Mapping[str, Any]


def answer(files: Sequence[Path], work: Work) -> None:
    """The child's side: warm up, say so, and work until standard input ends. Standard output belongs to this."""
    for file in files[:2]:
        work(file)
    _say({"ready": True})
    for line in sys.stdin:
        before = time.process_time()
        read = {file.name: work(file) for file in files}
        spent = time.process_time() - before
        lines = {name: [_plain(line) for line in lines] for name, lines in read.items()} if line.strip() == READ else {}
        _say({"cpu_s": spent, "lines": lines})


def _plain(line: Line) -> Sequence[Any]:
    return line.text, line.confidence, np.asarray(line.polygon).tolist()


def _say(what: Told) -> None:
    print(json.dumps(what), flush=True)


class Contestant:
    """The parent's side of one or more children that are ready."""

    def __init__(self, children: Sequence[subprocess.Popen[str]], images: int) -> None:
        self._children = children
        self._images = images
        for child in children:
            _heard(child)

    def rate(self, times: int = 1) -> float:
        """Images a second over all files, so many times."""
        started = time.perf_counter()
        for _ in range(times):
            self._ask(RUN)
        return times * self._images / (time.perf_counter() - started)

    def read(self) -> Mapping[str, Sequence[Line]]:
        """What is read of each file, by its name."""
        return {
            name: [Line(text, confidence, np.asarray(polygon)) for text, confidence, polygon in lines]
            for told in self._ask(READ)
            for name, lines in told["lines"].items()
        }

    def _ask(self, what: str) -> Sequence[Told]:
        for child in self._children:
            assert child.stdin is not None
            child.stdin.write(what + "\n")
            child.stdin.flush()
        return [_heard(child) for child in self._children]


@contextmanager
def contestant(module: str, folder: Path, *arguments: str, children: int = 1) -> Iterator[Contestant]:
    """Runs `python -m module FOLDER --share I/N ARGUMENTS` as so many children until the block ends."""
    images = len(files_of(folder))
    with ExitStack() as stack:
        started = [
            stack.enter_context(_child([module, str(folder), "--share", f"{index}/{children}", *arguments]))
            for index in range(children)
        ]
        yield Contestant(started, images)


def files_of(folder: Path, share: str = "0/1") -> Sequence[Path]:
    """The folder's JPEGs; with "1/2" the second of two halves, in turns."""
    index, of = map(int, share.split("/"))
    return sorted(folder.glob("*.jpg"))[index::of]


@contextmanager
def _child(arguments: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.terminate()


def _heard(child: subprocess.Popen[str]) -> Told:
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith("{"):  # libraries greet on standard output, too
            told: Told = json.loads(line)
            return told
    raise RuntimeError(f"{child.args!r} ended with {child.wait()}")
