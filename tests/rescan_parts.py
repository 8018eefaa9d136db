"""A gateway and a driver of a re-scan as processes that can be killed, and images that are made by seed."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

GATEWAY = """
import asyncio
from gatepost_server.gateway.server import serve
from gatepost_server.gateway.settings import GatewaySettings
from gatepost_server.scoring.fake import FakeScorer

ready = lambda addresses: print("READY", addresses.grpc, flush=True)
asyncio.run(serve(GatewaySettings.load(), ready=ready, scorer=FakeScorer()))
"""


class GatewayProcess:
    """A gateway over the fake scorer, on a port that stays the same from one life to the next."""

    def __init__(self, **settings: str) -> None:
        """`settings` are the gateway's beside those of every re-scan's test."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self._settings = {f"GATEPOST_GATEWAY_{name.upper()}": value for name, value in settings.items()}
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Ready on return."""
        environment = {
            "GATEPOST_GATEWAY_LISTEN": self.address,
            "GATEPOST_GATEWAY_CANARY_INTERVAL_S": "0",  # the fake cannot read cards
            "GATEPOST_GATEWAY_BACKGROUND_IMAGES": "16",
            "GATEPOST_LOG_LEVEL": "error",
            **self._settings,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-c", GATEWAY],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        line = self._process.stdout.readline()
        while line and not line.startswith("READY"):
            line = self._process.stdout.readline()
        assert line, "the gateway ended before it was ready"
        # Whatever it logs goes nowhere, and never fills a pipe.
        self._drain = subprocess.Popen(["cat"], stdin=self._process.stdout, stdout=subprocess.DEVNULL)
        self._process.stdout.close()

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._drain.wait()
            self._process = None


class Driver:
    """`gatepostd rescan` in a process of its own."""

    def __init__(self, log: Path, *arguments: str) -> None:
        self._log = log
        with log.open("ab") as stream:
            command = [sys.executable, "-m", "gatepost_server.cli", "rescan", *arguments]
            self._process = subprocess.Popen(command, stdout=stream, stderr=stream)

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """kill -9."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def wait(self, within_s: float) -> int:
        return self._process.wait(within_s)

    def said(self) -> str:
        return self._log.read_text(errors="replace")[-4_000:]


def until(happened: Callable[[], bool], *, within_s: float, otherwise: Callable[[], str] = lambda: "") -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < deadline, f"it did not happen in time: {otherwise()}"
        time.sleep(0.02)


@dataclass(frozen=True)
class Scene:
    """Images in a folder, and the decision that each must get, or its error's reason."""

    folder: Path
    expected: Mapping[str, str]  # by file name
    contents: int  # how many different ones


def make_images(folder: Path, seed: int, count: int) -> Scene:
    """Small PNGs, copies of earlier ones, scripts for the fake scorer that are blocked or fail, and files that are none."""
    folder.mkdir(parents=True)
    dice = random.Random(seed)
    expected: dict[str, str] = {}
    made: list[tuple[bytes, str]] = []
    different: set[bytes] = set()
    for number in range(count):
        kind = dice.random()
        if made and kind < 0.1:
            content, told = dice.choice(made)
        elif kind < 0.2:
            content, told = json.dumps({"n": number, "scores": {"insult": 0.99}}).encode(), "BLOCK"
        elif kind < 0.25:
            error = {"code": "INVALID_ARGUMENT", "reason": "IMAGE_CORRUPT"}
            content, told = json.dumps({"n": number, "error": error}).encode(), "IMAGE_CORRUPT"
        elif kind < 0.27:
            content, told = b"", "IMAGE_EMPTY"
        else:
            content, told = _png(dice), "ALLOW"
        if content:
            made.append((content, told))
            different.add(content)
        name = f"{number:06d}.png"
        (folder / name).write_bytes(content)
        expected[name] = told
    return Scene(folder, expected, len(different))


def check_rows(rows: Sequence[Mapping[str, object]], scene: Scene) -> None:
    """Exactly one row for each image, with the right decision or error; every content scored once."""
    names = [Path(str(row["uri"])).name for row in rows]
    assert sorted(names) == sorted(scene.expected), "one row for each image"
    told = {
        name: row["decision"] if row["error"] is None else row["error"]["reason"]
        for name, row in zip(names, rows, strict=True)
    }
    assert told == scene.expected
    scored = [row["sha256"] for row in rows if row["sha256"] is not None and row["duplicate_of"] is None]
    assert len(scored) == len(set(scored)) == scene.contents


def _png(dice: random.Random) -> bytes:
    image = Image.frombytes("RGB", (8, 8), dice.randbytes(192))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
