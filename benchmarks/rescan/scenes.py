"""Images to scan, and whom to ask: real cards and a real gatepost, or many small files and a scorer without nets."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from gatepost_server.policy.book import open_book
from gatepost_server.rescan.own_stages import OwnStages
from gatepost_server.scoring.fake import FakeScorer

CARDS = Path(__file__).parents[1] / "demo" / "cards"
_GATEWAY = """
import asyncio, structlog
from gatepost_server.gateway.server import serve
from gatepost_server.gateway.settings import GatewaySettings
from gatepost_server.scoring.fake import FakeScorer

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
ready = lambda addresses: print("READY", addresses.grpc, flush=True)
asyncio.run(serve(GatewaySettings.load(), ready=ready, scorer=FakeScorer()))
"""


@dataclass(frozen=True)
class FakeStages:
    """A worker's MakeJudge without nets."""

    def __call__(self) -> OwnStages:
        """The judge of this worker."""
        return OwnStages(FakeScorer(), open_book())


def small_files(folder: Path, count: int) -> Path:
    """So many different files of some 30 bytes that the fake scorer takes for clean pictures, as a manifest of tars."""
    folder.mkdir(parents=True)
    for number in range(count):
        below = folder / f"{number // 1_000:04d}"
        below.mkdir(exist_ok=True)
        (below / f"{number:07d}.png").write_bytes(json.dumps({"n": number}).encode())
    return folder


def different_cards(folder: Path, count: int) -> Sequence[Path]:
    """The demo's cards, each time with another pixel in a corner, so that none is a duplicate."""
    folder.mkdir(parents=True)
    cards = itertools.cycle(sorted(CARDS.glob("*.jpg")))
    files = []
    for number, card in enumerate(itertools.islice(cards, count)):
        with Image.open(card) as image:
            changed = image.convert("RGB")
        changed.putpixel((0, 0), (number % 256, number // 256 % 256, 7))
        file = folder / f"{number:05d}.png"
        changed.save(file, compress_level=1)
        files.append(file)
    return files


@contextmanager
def fake_gateway() -> Iterator[str]:
    """A gateway over the fake scorer in a process of its own; its address."""
    environment = {
        "GATEPOST_GATEWAY_LISTEN": "127.0.0.1:0",
        "GATEPOST_GATEWAY_CANARY_INTERVAL_S": "0",  # the fake cannot read cards
        "GATEPOST_GATEWAY_BACKGROUND_IMAGES": "16",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", _GATEWAY],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        while line and not line.startswith("READY"):
            line = process.stdout.readline()
        if not line:
            raise RuntimeError("the gateway ended before it was ready")
        yield line.split()[1]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
