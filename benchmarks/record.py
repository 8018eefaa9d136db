"""`python -m benchmarks.record`: what writing every verdict down adds to a Moderate call.

Three gateways run side by side as processes of their own, over a scorer without weights: one without a record, one
with it, and a second without it as a control. Each image goes to all of them, in an order that changes. Half of the
images are allowed (nothing but the verdict is kept), half are for people (the image is sealed and kept, too).

Processor time is the gateway's, over all its threads and the carrying into the record, which goes on meanwhile; wall
time is the caller's. Both are medians of differences between gateways for the same image.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

import grpc
from rich.progress import track

from benchmarks import targets
from benchmarks.overhead.gateway import CREDENTIALS, Served, gateway
from gatepost.v1 import moderation_pb2, moderation_pb2_grpc, verdict_pb2
from gatepost_server.records.sealing import new_key

COMMAND = "python -m benchmarks.record"
REPORT = targets.OUT / "bench" / "record.json"
IMAGE_BYTES = 200_000
WARM_UP = 20
WITH, WITHOUT, CONTROL = "with a record", "without", "a second without"
KINDS = {"allowed": {}, "for people, image kept": {"insult": 0.6}}

Samples = Mapping[tuple[str, str], list[tuple[float, float]]]  # by kind and gateway: wall and processor time, µs


def main() -> int:
    """Measure, write, show."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=150, help="of each kind, for each start of the gateways")
    parser.add_argument("--starts", type=int, default=3)
    asked = parser.parse_args()
    samples: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="gatepost-record-") as scratch:
        for start in track(range(asked.starts), "starts", transient=True):
            with served(Path(scratch) / str(start)) as gateways:
                for key, found in measured(gateways, asked.images, start).items():
                    samples[key] += found
    rows = [*compared(samples)]
    targets.write(REPORT, rows, starts=asked.starts, images=asked.images, image_bytes=IMAGE_BYTES)
    targets.show(rows, "what the record costs")
    return 0


@contextmanager
def served(scratch: Path) -> Iterator[Mapping[str, Served]]:
    """The three of them, ready."""
    scratch.mkdir()
    record = {
        "GATEPOST_GATEWAY_RECORD": str(scratch / "record.db"),
        "GATEPOST_GATEWAY_RECORD_IMAGES": str(scratch / "images"),
        "GATEPOST_GATEWAY_IMAGE_KEYS": new_key(),
    }
    with ExitStack() as stack:
        found = {}
        for number, name in enumerate((WITHOUT, WITH, CONTROL)):
            with patch.dict(os.environ, record if name == WITH else {}):  # the child takes it over
                found[name] = stack.enter_context(gateway(scratch / f"gateway-{number}", [CREDENTIALS]))
        yield found


def measured(gateways: Mapping[str, Served], images: int, start: int) -> Samples:
    """Every image at every gateway."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    turns = random.Random(start)
    order = list(gateways)
    with ExitStack() as stack:
        stubs = {
            name: moderation_pb2_grpc.ModerationServiceStub(stack.enter_context(grpc.insecure_channel(each.address)))
            for name, each in gateways.items()
        }
        for number in range(images + WARM_UP):
            for kind, scores in KINDS.items():
                request = moderation_pb2.ModerateRequest(image=image(scores, turns))
                turns.shuffle(order)
                for name in order:
                    before = gateways[name].cpu_ns()
                    began = time.perf_counter_ns()
                    verdict = stubs[name].Moderate(request, timeout=60.0).verdict
                    wall = 1e-3 * (time.perf_counter_ns() - began)
                    if verdict.decision != (verdict_pb2.DECISION_REVIEW if scores else verdict_pb2.DECISION_ALLOW):
                        raise RuntimeError(f"{name} answered {verdict.decision}")
                    time.sleep(0.01)  # for what is carried into the record after the answer
                    if number >= WARM_UP:
                        found[kind, name].append((wall, 1e-3 * (gateways[name].cpu_ns() - before)))
    return found


def image(scores: Mapping[str, float], turns: random.Random) -> bytes:
    """As large as a card; the scorer without weights reads its answer in it."""
    pad = turns.randbytes(IMAGE_BYTES // 2).hex()
    return json.dumps({"scores": scores, "pad": pad}).encode()


def compared(samples: Samples) -> Iterator[targets.Target]:
    """A row for each kind, figure and pair of gateways."""
    for kind in KINDS:
        for place, what in enumerate(("wall time of a call", "processor time of the gateway")):
            plain = [each[place] for each in samples[kind, WITHOUT]]
            yield targets.reported(f"{kind}: {what} without a record, p50", statistics.median(plain), "µs", COMMAND)
            for name in (WITH, CONTROL):
                more = [each[place] - other for each, other in zip(samples[kind, name], plain, strict=True)]
                yield targets.reported(f"{kind}: {what}, {name}, p50 more", statistics.median(more), "µs", COMMAND)


if __name__ == "__main__":
    raise SystemExit(main())
