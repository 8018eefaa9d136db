"""What release tickets cost: signing, checking, and a whole Moderate call with and without them.

The calls go through a real gateway over a scorer without weights, so that nothing else hides the difference; with and
without take turns, image by image. Caller and gateways are one process: its processor time is what a call costs also
where the machine is busy with other work, while wall time is then mostly waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import structlog
from rich.progress import track

from benchmarks import targets
from gatepost.v1 import moderation_pb2, moderation_pb2_grpc
from gatepost_client.tickets import Jwks, verify, verify_digest
from gatepost_server.domain.ticket import Release, TicketTerms
from gatepost_server.gateway.server import Addresses, serve
from gatepost_server.gateway.settings import GatewaySettings
from gatepost_server.scoring.fake import FakeScorer
from gatepost_server.tickets.folder import KeyFolder
from gatepost_server.tickets.sign import TicketSigner

COMMAND = "python -m benchmarks.tickets"
REPORT = targets.OUT / "bench" / "tickets.json"
AUDIENCE = "greeting-card"
ROUNDS = 2_000
CALLS = 500
IMAGE_BYTES = 1 << 20


def main() -> int:
    """Measure, write, show; the exit code says whether the targets are met."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    image = os.urandom(IMAGE_BYTES)
    with tempfile.TemporaryDirectory(prefix="gatepost-tickets-") as scratch:
        folder = KeyFolder(Path(scratch) / "keys")
        folder.init()
        alone = _alone(folder, image)
        calls = asyncio.run(_calls(folder, image))
    wall = {name: [call.wall_ms for call in of] for name, of in calls.items()}
    cpu = {name: [call.cpu_ms for call in of] for name, of in calls.items()}
    found = [
        targets.at_most("sign a ticket, median", alone["sign"], 500, "µs", COMMAND),
        targets.at_most("check a ticket against a digest, median", alone["verify_digest"], 500, "µs", COMMAND),
        targets.reported("check a ticket against 1 MiB, median", alone["verify"], "µs", COMMAND),
        targets.reported("SHA-256 of 1 MiB alone, median", alone["sha256"], "µs", COMMAND),
        targets.reported("length of a ticket", alone["characters"], "characters", COMMAND),
        targets.at_most("processor time of Moderate, p50, more with tickets", _more(cpu, 50), 1.0, "ms", COMMAND),
        targets.reported("processor time of Moderate, p99, more with tickets", _more(cpu, 99), "ms", COMMAND),
        targets.reported("wall time of Moderate, p50, more with tickets", _more(wall, 50), "ms", COMMAND),
        targets.reported("wall time of Moderate, p99, more with tickets", _more(wall, 99), "ms", COMMAND),
        *(
            targets.reported(f"{kind} of Moderate {name} tickets, p{q}", _percentile(of, q), "ms", COMMAND)
            for kind, values in (("processor time", cpu), ("wall time", wall))
            for name, of in values.items()
            for q in (50, 99)
        ),
    ]
    targets.write(REPORT, found, rounds=ROUNDS, calls=CALLS, image_bytes=IMAGE_BYTES)
    targets.show(found, "release tickets")
    return 0 if all(target.met is not False for target in found) else 1


def _alone(folder: KeyFolder, image: bytes) -> Mapping[str, float]:
    signer = TicketSigner(folder)
    digest = hashlib.sha256(image).hexdigest()
    models = {f"net-{number}": "0123456789abcdef" for number in range(8)}
    release = Release("verdicts/" + "0" * 36, digest, AUDIENCE, "0" * 16, models, TicketTerms(AUDIENCE))
    ticket, keys = signer.sign(release), Jwks(signer.jwks())
    return {
        "sign": _median_us(lambda: signer.sign(release)),
        "verify_digest": _median_us(lambda: verify_digest(digest, ticket, keys, audience=AUDIENCE)),
        "verify": _median_us(lambda: verify(image, ticket, keys, audience=AUDIENCE)),
        "sha256": _median_us(lambda: hashlib.sha256(image).hexdigest()),
        "characters": float(len(ticket)),
    }


def _more(values: Mapping[str, list[float]], q: int) -> float:
    return _percentile(values["with"], q) - _percentile(values["without"], q)


def _percentile(values: list[float], q: int) -> float:
    return float(np.percentile(values, q))


def _median_us(work: Callable[[], object]) -> float:
    spent = []
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        spent.append(1e6 * (time.process_time() - started))
    return float(np.median(spent))


@dataclass(frozen=True, slots=True)
class Call:
    """What one call took, in milliseconds."""

    wall_ms: float
    cpu_ms: float


async def _calls(folder: KeyFolder, image: bytes) -> Mapping[str, list[Call]]:
    """Every call, by whether the gateway signs."""
    spent: dict[str, list[Call]] = {"without": [], "with": []}
    async with _gateway(None) as plain, _gateway(folder.folder) as signing:
        stubs = {"without": plain, "with": signing}
        for number in track(range(CALLS + 20), "calls", transient=True):
            order = list(stubs) if number % 2 else list(reversed(stubs))
            for name in order:
                started, cpu = time.perf_counter(), time.process_time()
                answer = await stubs[name].Moderate(moderation_pb2.ModerateRequest(image=image))
                took = Call(1e3 * (time.perf_counter() - started), 1e3 * (time.process_time() - cpu))
                if bool(answer.verdict.ticket) is not (name == "with"):
                    raise RuntimeError("the wrong gateway signed")
                if number >= 20:  # the first ones warm up
                    spent[name].append(took)
    return spent


@contextlib.asynccontextmanager
async def _gateway(keys: Path | None) -> AsyncIterator[Any]:
    ready: asyncio.Future[Addresses] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    settings = GatewaySettings.load(listen="127.0.0.1:0", ticket_keys=keys, canary_interval_s=0)
    serving = asyncio.create_task(serve(settings, ready=ready.set_result, stop=stop, scorer=FakeScorer()))
    try:
        async with grpc.aio.insecure_channel((await ready).grpc) as channel:
            yield moderation_pb2_grpc.ModerationServiceStub(channel)  # its types are those of the blocking stub
    finally:
        stop.set()
        await serving


if __name__ == "__main__":
    sys.exit(main())
