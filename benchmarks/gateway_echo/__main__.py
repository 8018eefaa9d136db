"""`make bench-gateway`: requests a second and processor time of Moderate, over a scorer that costs nothing, beside a
bare grpc.aio echo of the same 200 kB.

The gateway and the echo take turns, in an order that changes with every round, under the same caller with the same
bytes. The caller shares the machine with them, in both cases alike, so that requests a second hold its work, too;
processor time is the server's alone. Every figure is of all rounds; intervals (95 %) come of drawing rounds again.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import random
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import track

from benchmarks import targets
from benchmarks.gateway_echo.load import IMAGE_BYTES, Burst, Caller, caller
from benchmarks.gateway_echo.servers import ECHO, GATEWAY, METHODS, SINK, served
from benchmarks.overhead.gateway import Served

COMMAND = "make bench-gateway"
REPORT = targets.OUT / "bench" / "gateway.json"
AT_A_TIME = (1, 4, 16, 64)
LEAST = 0.6
RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Turn:
    """One server's turn in one round."""

    calls: int
    wall_s: float
    server_s: float  # of its processor
    caller_s: float


Turns = Mapping[tuple[str, int], Sequence[Turn]]  # by server and calls at a time; one for each round


def main() -> int:
    """Measure, write, show; the exit code says whether the targets are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each turn")
    asked = parser.parse_args()
    rows = list(figures(measured(asked.rounds, asked.seconds)))
    targets.write(REPORT, rows, rounds=asked.rounds, seconds=asked.seconds, image_bytes=IMAGE_BYTES)
    targets.show(rows, "the gateway alone")
    return 0 if all(row.met is not False for row in rows) else 1


def measured(rounds: int, seconds: float) -> Turns:
    """All turns of all rounds; seeded. The first turn of each server warms it and does not count."""
    turns: dict[tuple[str, int], list[Turn]] = collections.defaultdict(list)
    order = [(name, at_a_time) for name in METHODS for at_a_time in AT_A_TIME]
    chance = random.Random(1)
    with tempfile.TemporaryDirectory(prefix="gatepost-echo-") as scratch, contextlib.ExitStack() as stack:
        gateway = stack.enter_context(served(GATEWAY, Path(scratch) / GATEWAY))
        bare = stack.enter_context(served(ECHO, Path(scratch) / ECHO))
        calling = stack.enter_context(caller())
        servers = {GATEWAY: gateway, ECHO: bare, SINK: bare}
        for name, server in servers.items():
            _turn(calling, server, name, 8, seconds)
        for _ in track(range(rounds), "rounds", transient=True):
            for name, at_a_time in chance.sample(order, len(order)):
                turns[name, at_a_time].append(_turn(calling, servers[name], name, at_a_time, seconds))
    return turns


def figures(turns: Turns) -> Iterator[targets.Target]:
    """Rates and processor time of each server, and the gateway's as a share of the others'."""
    for at_a_time in AT_A_TIME:
        for name in METHODS:
            of = turns[name, at_a_time]
            yield targets.reported(f"{name}, {at_a_time} at a time", _rate(of), "requests/s", COMMAND)
            yield targets.reported(f"{name}, {at_a_time} at a time: processor", _server_us(of), "µs", COMMAND)
            yield targets.reported(f"{name}, {at_a_time} at a time: the caller's", _caller_us(of), "µs", COMMAND)
        for other in (ECHO, SINK):
            ours, theirs = turns[GATEWAY, at_a_time], turns[other, at_a_time]
            drawn = list(_drawn(ours, theirs))
            low, high = np.percentile([_rate(a) / _rate(b) for a, b in drawn], (2.5, 97.5))
            share, name = _rate(ours) / _rate(theirs), f"requests/s to the {other}'s, {at_a_time} at a time"
            if other == ECHO:
                yield targets.at_least(name, share, LEAST, "x", COMMAND, low=float(low), high=float(high))
            else:
                yield targets.reported(name, share, "x", COMMAND, low=float(low), high=float(high))
            low, high = np.percentile([_server_us(a) - _server_us(b) for a, b in drawn], (2.5, 97.5))
            more = _server_us(ours) - _server_us(theirs)
            name = f"processor, more than the {other}, {at_a_time} at a time"
            yield targets.reported(name, more, "µs", COMMAND, low=float(low), high=float(high))


def _turn(calling: Caller, server: Served, name: str, at_a_time: int, seconds: float) -> Turn:
    before = server.cpu_ns()
    answered = calling.run(Burst(server.address, METHODS[name], server.token, at_a_time, seconds))
    return Turn(answered.calls, answered.wall_s, 1e-9 * (server.cpu_ns() - before), answered.cpu_s)


def _rate(turns: Sequence[Turn]) -> float:
    return sum(turn.calls for turn in turns) / sum(turn.wall_s for turn in turns)


def _server_us(turns: Sequence[Turn]) -> float:
    return 1e6 * sum(turn.server_s for turn in turns) / sum(turn.calls for turn in turns)


def _caller_us(turns: Sequence[Turn]) -> float:
    return 1e6 * sum(turn.caller_s for turn in turns) / sum(turn.calls for turn in turns)


def _drawn(ours: Sequence[Turn], theirs: Sequence[Turn]) -> Iterator[tuple[Sequence[Turn], Sequence[Turn]]]:
    """RESAMPLES times as many rounds as there were, drawn: the same ones for both."""
    chance = np.random.default_rng(1)
    for _ in range(RESAMPLES):
        rounds = chance.integers(0, len(ours), len(ours))
        yield [ours[each] for each in rounds], [theirs[each] for each in rounds]


if __name__ == "__main__":
    sys.exit(main())
