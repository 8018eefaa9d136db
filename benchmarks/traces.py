"""`make bench-traces`: processor time of the gateway for each request, untraced, with one call in a hundred traced, and
with all of them, over a scorer that costs nothing.

The three gateways take turns under the same caller. A receiver that forgets what it gets stands in for a collector.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import os
import random
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
from rich.progress import track

from benchmarks import targets
from benchmarks.gateway_echo.load import Burst, Caller, caller
from benchmarks.gateway_echo.servers import GATEWAY, METHODS, served
from benchmarks.overhead.gateway import Served

COMMAND = "make bench-traces"
REPORT = targets.OUT / "bench" / "traces.json"
OFF, SOME, ALL = "untraced", "one in a hundred", "all traced"
SHARES = {OFF: None, SOME: "0.01", ALL: "1.0"}
AT_A_TIME = 4
RESAMPLES = 2_000

Turns = Mapping[str, Sequence[float]]  # microseconds of the gateway's processor for each request, one for each round


def main() -> int:
    """Measure, write, show."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each turn")
    asked = parser.parse_args()
    rows = list(figures(measured(asked.rounds, asked.seconds)))
    targets.write(REPORT, rows, rounds=asked.rounds, seconds=asked.seconds, at_a_time=AT_A_TIME)
    targets.show(rows, "traces")
    return 0


def measured(rounds: int, seconds: float) -> Turns:
    """All turns of all rounds; seeded. The first turn of each gateway warms it and does not count."""
    turns: dict[str, list[float]] = collections.defaultdict(list)
    chance = random.Random(1)
    with tempfile.TemporaryDirectory(prefix="gatepost-traces-") as scratch, contextlib.ExitStack() as stack:
        receiver = stack.enter_context(_receiving())
        servers = {}
        for number, (name, share) in enumerate(SHARES.items()):
            traced = {} if share is None else {"OTLP": receiver, "TRACE_SHARE": share}
            with _environment({f"GATEPOST_GATEWAY_{key}": value for key, value in traced.items()}):
                servers[name] = stack.enter_context(served(GATEWAY, Path(scratch) / str(number)))
        calling = stack.enter_context(caller())
        for server in servers.values():
            _turn(calling, server, seconds)
        for _ in track(range(rounds), "rounds", transient=True):
            for name in chance.sample(list(servers), len(servers)):
                turns[name].append(_turn(calling, servers[name], seconds))
    return turns


def figures(turns: Turns) -> Iterator[targets.Target]:
    """Medians of the rounds, and what tracing adds; intervals (95 %) come of drawing rounds again."""
    for name in SHARES:
        yield targets.reported(f"{name}: processor", float(np.median(turns[name])), "µs", COMMAND)
    chance = np.random.default_rng(1)
    for name in (SOME, ALL):
        more = np.array(turns[name]) - np.array(turns[OFF])
        drawn = np.median(more[chance.integers(0, len(more), (RESAMPLES, len(more)))], axis=1)
        low, high = np.percentile(drawn, (2.5, 97.5))
        yield targets.reported(
            f"{name}: more than untraced", float(np.median(more)), "µs", COMMAND, low=float(low), high=float(high)
        )


def _turn(calling: Caller, server: Served, seconds: float) -> float:
    before = server.cpu_ns()
    answered = calling.run(Burst(server.address, METHODS[GATEWAY], server.token, AT_A_TIME, seconds))
    return 1e-3 * (server.cpu_ns() - before) / answered.calls


@contextlib.contextmanager
def _environment(more: Mapping[str, str]) -> Iterator[None]:
    os.environ.update(more)
    try:
        yield
    finally:
        for name in more:
            del os.environ[name]


@contextlib.contextmanager
def _receiving() -> Iterator[str]:
    """The address of a receiver that takes everything and keeps nothing."""
    server = grpc.server(ThreadPoolExecutor(2), options=[("grpc.max_receive_message_length", -1)])
    taken = grpc.unary_unary_rpc_method_handler(lambda _request, _context: b"")
    service = "opentelemetry.proto.collector.trace.v1.TraceService"
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": taken}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop(None)


if __name__ == "__main__":
    sys.exit(main())
