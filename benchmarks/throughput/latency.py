"""How long a caller waits, and how many images a second are judged, by how many call at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import numpy as np
from rich.progress import track

from benchmarks import targets
from benchmarks.load import Answer, endless, load, once, quantiles, rate
from benchmarks.stack import running
from benchmarks.targets import Target
from benchmarks.throughput.cards import encoded
from benchmarks.throughput.part import Part, command

NAME = "latency"
SECONDS: Mapping[int, float] = {1: 15, 4: 20, 16: 25, 64: 40}  # by callers
TIMES_IN_FULL = 3
MOST_MEMORY_GB = 2.5
KEPT_OF_PEAK = 0.9  # of the most images a second, with the most callers


def measure(full: bool) -> Part:
    """p50 and p99 by callers."""
    images = encoded()
    with running(ready_timeout_s=240) as stack:
        asyncio.run(load(stack.address, once(images), 4))  # warm up
        answers = {
            callers: asyncio.run(
                load(stack.address, endless(images), callers, seconds=seconds * (TIMES_IN_FULL if full else 1))
            )
            for callers, seconds in track(SECONDS.items(), "latency", transient=True)
        }
        memory = sum(stack.pss_bytes().values()) / 1e9
    made = [
        *rows(answers),
        targets.at_most("memory of the whole tree (PSS)", memory, MOST_MEMORY_GB, "GB", command(NAME)),
    ]
    return Part(made, {"by_callers": {callers: _figures(of, callers) for callers, of in answers.items()}})


def rows(answers: Mapping[int, Sequence[Answer]]) -> list[Target]:
    """Waits, rates, and what is left of the best rate with the most callers."""
    made: list[Target] = []
    for callers, of in answers.items():
        waits = [answer.ms for answer in of]
        for q in (50, 99):
            name = f"{callers} at a time: p{q}"
            made.append(targets.reported(name, float(np.percentile(waits, q)), "ms", command(NAME)))
        made.append(targets.reported(f"{callers} at a time: images a second", rate(of, callers), "1/s", command(NAME)))
    rates = {callers: rate(of, callers) for callers, of in answers.items()}
    most = max(rates)
    left = rates[most] / max(rates.values())
    made.append(targets.at_least(f"images a second, {most} at a time / peak", left, KEPT_OF_PEAK, "x", command(NAME)))
    return made


def _figures(answers: Sequence[Answer], callers: int) -> Mapping[str, object]:
    return {
        "requests": len(answers),
        "images_per_second": rate(answers, callers),
        "refusals": sum(answer.refusals for answer in answers),
        "held": sum(not answer.judged for answer in answers),
        "parts_ms": quantiles(answers),
        "waits_ms": [round(answer.ms, 1) for answer in answers],
    }
