"""Runs benchmarks.fuzz.structured for a while and says how it ended."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gatepost.v1 import moderation_pb2 as wire

_DONE = re.compile(r"Done (\d+) runs? in (\d+) second")
_COVERAGE = re.compile(r"cov: (\d+)")


@dataclass(frozen=True, slots=True)
class Guided:
    """One atheris run. `ok` is False for a crash, an assertion or a hang, whose input lies in `kept`."""

    role: str
    runs: int
    seconds: int
    coverage: int  # instrumented branches that were reached
    ok: bool
    end: str


def fuzz(role: str, corpus: Iterable[bytes], *, seconds: int, seed: int, kept: Path) -> Guided:
    """Let atheris run for `seconds`."""
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="gatepost-fuzz-") as scratch:
        for number, data in enumerate(corpus):
            (Path(scratch) / f"{number:04}").write_bytes(data)
        command = [sys.executable, "-m", "benchmarks.fuzz.structured", role, scratch]
        command += [
            f"-max_total_time={seconds}",
            f"-seed={seed}",
            "-max_len=65536",
            "-timeout=60",
            "-rss_limit_mb=4096",
        ]
        command += [f"-artifact_prefix={kept}/{role}-", "-print_final_stats=1"]
        ran = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=seconds + 300, check=False
        )
    done = _DONE.search(ran.stderr)
    reached = [int(found) for found in _COVERAGE.findall(ran.stderr)]
    return Guided(
        role,
        runs=int(done[1]) if done else 0,
        seconds=int(done[2]) if done else 0,
        coverage=max(reached, default=0),
        ok=ran.returncode == 0 and done is not None,
        end="" if ran.returncode == 0 else "\n".join(ran.stderr.splitlines()[-25:]),
    )


def requests() -> list[bytes]:
    """Messages to begin with, whole and broken; the first byte says of which type they are."""
    full = wire.ModerateRequest(
        request_id="r-1", image=b"png", prompt="a card 新年快乐", expected_text=["新年快乐", "2027"], locale="zh-TW",
        policy="default", labels={"app": "cards"}, turn_count=3,
        turns=[wire.Turn(role=wire.Turn.ROLE_USER, text="draw")], extras=wire.Extras(evidence=True, embedding=True),
    )  # fmt: skip
    by_uri = wire.ModerateRequest(image_uri="https://cdn.example/a.png")
    bodies = [
        b"",
        full.SerializeToString(),
        by_uri.SerializeToString(),
        b"\x22\x02\xff\xfe",
        b"\x0a\xff\xff\xff\xff\x0f",
    ]
    streamed = wire.ModerateStreamRequest(request=full).SerializeToString()
    return [bytes([kind]) + body for kind in range(3) for body in (*bodies, streamed)]
