"""Served gatepost beside the loops that a user would write, and beside its own stages without a server.

All run over the same cards in turns, so that a drift of the machine hits all of them alike. Gatepost and the stages
are given the callers and the processes that suit this machine best, which is tried first.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from statistics import median
from typing import TypeVar

import numpy as np
from rich.progress import track

from benchmarks import targets
from benchmarks.cards import Card
from benchmarks.in_process import LEAST_CONFIDENCE
from benchmarks.load import load, once
from benchmarks.ocr_scores import Tally, tally
from benchmarks.paddle_reference import Line
from benchmarks.rounds import Contestant, contestant
from benchmarks.stack import running
from benchmarks.targets import Target
from benchmarks.throughput.cards import FOLDER, cards, encoded
from benchmarks.throughput.part import Part, command
from gatepost_client import AsyncClient, Verdict

NAME = "peers"
SERVED, PADDLEOCR, RAPIDOCR, STAGES = "gatepost, served", "paddleocr + open_clip", "rapidocr + open_clip", "own stages"
BARS: Mapping[str, float] = {PADDLEOCR: 3.0, RAPIDOCR: 3.0, STAGES: 0.92}
CALLERS = (2, 4, 8, 16)
ROUNDS, ROUNDS_IN_FULL = 3, 6
PASSES = 2  # over the cards in a turn of the fast ones, so that a turn's end, when callers run out, weighs little
# No canaries: two cards a minute, which would run beside the others, too. And time enough on a slow machine.
SETTINGS = {"GATEPOST_GATEWAY_CANARY_INTERVAL_S": "0", "GATEPOST_GATEWAY_MAX_DEADLINE_S": "120"}
ENOUGH_S = 90.0

_Key = TypeVar("_Key", int, str)
Turns = Mapping[str, Sequence[float]]  # images a second by contestant and round


def measure(full: bool) -> Part:
    """Images a second and character error rates of everybody."""
    drawn = cards()
    with running(environment=SETTINGS, ready_timeout_s=240) as stack, _others() as others:
        images = encoded()
        seen = asyncio.run(_verdicts(stack.address, images))
        read: dict[str, Mapping[str, Sequence[Line]]] = {SERVED: dict(zip(drawn, map(_lines, seen), strict=True))}
        read |= {name: each.read() for name, each in others.items()}
        callers, tried = _best({callers: partial(_served, stack.address, images[::2], callers) for callers in CALLERS})
        layout, laid_out = _best({name: each.rate for name, each in others.items() if name.startswith(STAGES)})
        turns: Mapping[str, Callable[[], float]] = {
            SERVED: lambda: _served(stack.address, images, callers, PASSES),
            PADDLEOCR: others[PADDLEOCR].rate,
            RAPIDOCR: others[RAPIDOCR].rate,
            STAGES: lambda: others[layout].rate(PASSES),
        }
        rates = in_turns(turns, ROUNDS_IN_FULL if full else ROUNDS)
    read[STAGES] = read[layout]
    errors = {name: errors_of(drawn, read[name]) for name in (SERVED, *BARS)}
    return Part(
        rows(rates, errors),
        {
            "cards": len(drawn),
            "lines": sum(len(card.lines) for card in drawn.values()),
            "callers": callers,
            "rate_by_callers": tried,
            "layout": layout,
            "rate_by_layout": laid_out,
            "rounds": rates,
        },
    )


def rows(rates: Turns, errors: Mapping[str, Tally]) -> list[Target]:
    """The figures; a ratio is the median of the rounds' own."""
    made = [
        targets.reported(f"{name}: images a second", median(rates[name]), "1/s", command(NAME))
        for name in (SERVED, *BARS)
    ]
    for name, bar in BARS.items():
        ratio = median(ours / theirs for ours, theirs in zip(rates[SERVED], rates[name], strict=True))
        made.append(targets.at_least(f"served / {name}", ratio, bar, "x", command(NAME)))
    theirs = errors[PADDLEOCR].cer
    made.append(targets.at_most("CER, gatepost served", errors[SERVED].cer, theirs, "%", command(NAME)))
    made += [targets.reported(f"CER, {name}", errors[name].cer, "%", command(NAME)) for name in BARS]
    return made


def in_turns(turns: Mapping[str, Callable[[], float]], rounds: int) -> Turns:
    """Everybody's rate in every round; who begins changes with the round."""
    rates: dict[str, list[float]] = {name: [] for name in turns}
    names = list(turns)
    for number in track(range(rounds), "peers", transient=True):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            rates[name].append(turns[name]())
    return rates


def errors_of(drawn: Mapping[str, Card], read: Mapping[str, Sequence[Line]]) -> Tally:
    """What was read held against what is written. Raises KeyError for a card that nobody read."""
    return sum((tally(card, read[name]) for name, card in drawn.items()), Tally())


@contextmanager
def _others() -> Iterator[Mapping[str, Contestant]]:
    """The contestants that are not served, by name, one after another ready."""
    cores = os.cpu_count() or 1
    with ExitStack() as stack:
        yield {
            PADDLEOCR: stack.enter_context(contestant("benchmarks.plain_loop", FOLDER)),
            RAPIDOCR: stack.enter_context(contestant("benchmarks.plain_loop", FOLDER, "--ocr", "rapidocr")),
            f"{STAGES}, a process with {cores} threads": stack.enter_context(
                contestant("benchmarks.in_process", FOLDER, "--threads", str(cores))
            ),
            f"{STAGES}, {cores} processes": stack.enter_context(
                contestant("benchmarks.in_process", FOLDER, children=cores)
            ),
        }


def _best(tries: Mapping[_Key, Callable[[], float]]) -> tuple[_Key, Mapping[_Key, float]]:
    """What gave the highest rate, and all rates."""
    rates = {key: run() for key, run in tries.items()}
    return max(rates, key=rates.__getitem__), rates


def _served(address: str, images: Sequence[bytes], callers: int, passes: int = 1) -> float:
    started = time.perf_counter()
    answers = asyncio.run(load(address, once(images, passes), callers))
    held = sum(not answer.judged for answer in answers)
    if held:
        raise RuntimeError(f"{held} of {len(answers)} images were held for want of time: this measures nothing")
    return len(answers) / (time.perf_counter() - started)


async def _verdicts(address: str, images: Sequence[bytes]) -> Sequence[Verdict]:
    """In the order of the images; it warms everything up as well."""
    async with AsyncClient(address, timeout=ENOUGH_S) as client:
        return [await client.moderate(image) for image in images]


def _lines(verdict: Verdict) -> Sequence[Line]:
    return [
        Line(line.text, line.confidence, np.asarray(line.polygon))
        for line in verdict.lines
        if line.confidence >= LEAST_CONFIDENCE
    ]
