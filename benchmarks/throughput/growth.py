"""How the wait grows with what is on an image, one image at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from statistics import median

from rich.progress import track

from benchmarks import targets
from benchmarks.load import Answer, load
from benchmarks.stack import running
from benchmarks.targets import Target
from benchmarks.throughput.drawings import card_of_frames, card_of_lines, card_of_side
from benchmarks.throughput.part import Part, command

NAME = "growth"
EACH, EACH_IN_FULL = 4, 12
SIDES = (256, 512, 1024, 2048, 4096, 8192)
LINES = (0, 1, 5, 10, 25, 50, 100, 200)
FRAMES = (1, 2, 4, 8, 16, 32)
GROWING: Mapping[str, tuple[Sequence[int], Callable[[int, int], bytes]]] = {
    "side": (SIDES, card_of_side),
    "lines": (LINES, card_of_lines),
    "frames": (FRAMES, card_of_frames),
}
UNITS = {"side": "pixels a side", "lines": "lines of text", "frames": "frames"}
_FIRST_SEED = 40_000


def measure(full: bool) -> Part:
    """The median wait by size, with what the stages took of it."""
    found: dict[str, dict[int, Sequence[Answer]]] = {}
    with running(ready_timeout_s=240) as stack:
        for what, (sizes, draw) in GROWING.items():
            found[what] = {}
            for size in track(sizes, f"growth of {what}", transient=True):
                # One more than is counted: a shape that is new to OpenVINO costs it a compilation.
                seeds = range(_FIRST_SEED, _FIRST_SEED + 1 + (EACH_IN_FULL if full else EACH))
                images = [draw(size, seed) for seed in seeds]
                found[what][size] = asyncio.run(load(stack.address, images, 1))
    return Part(rows(found), {"growth": {what: _figures(by_size) for what, by_size in found.items()}})


def rows(found: Mapping[str, Mapping[int, Sequence[Answer]]]) -> list[Target]:
    """Median waits."""
    return [
        targets.reported(f"{size} {UNITS[what]}: p50", _wait(answers), "ms", command(NAME))
        for what, by_size in found.items()
        for size, answers in by_size.items()
    ]


def _wait(answers: Sequence[Answer]) -> float:
    return median(answer.ms for answer in answers[1:])


def _figures(by_size: Mapping[int, Sequence[Answer]]) -> Mapping[int, object]:
    return {
        size: {
            "ms": [round(answer.ms, 1) for answer in answers[1:]],
            "first_ms": round(answers[0].ms, 1),
            "lines": [len(answer.verdict.lines) for answer in answers],
            "stages_ms": _stages(answers[1:]),
            "held": sum(not answer.judged for answer in answers),
        }
        for size, answers in by_size.items()
    }


def _stages(answers: Sequence[Answer]) -> Mapping[str, float]:
    parts = sorted({part for answer in answers for part in answer.verdict.timings_ms})
    return {part: median(answer.verdict.timings_ms.get(part, 0.0) for answer in answers) for part in parts}
