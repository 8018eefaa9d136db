"""A real gatepost on free ports: `gatepostd up` as a child process, for the demo, benchmarks and end-to-end tests."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

LOGS = Path(__file__).parents[1] / "out" / "logs"  # kept, for what went wrong is seen after the end


_NOT_FROM_MEMORY = {"GATEPOST_GATEWAY_EVIDENCE_CACHE_BYTES": "0"}


class StackFailedError(RuntimeError):
    """gatepostd ended or was not ready in time; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A running gatepostd. `address` is the gateway's host:port, `http` that of its page of keys and health, `triton`
    that of its models; `console` is the URL of the review console.
    """

    address: str
    process: psutil.Process
    ready_s: float
    log: Path
    http: str = ""
    triton: str = ""
    console: str = ""

    def pss_bytes(self) -> Mapping[str, int]:
        """Proportional set size of every process of the tree by a readable name."""
        sizes: dict[str, int] = {}
        for process in (self.process, *self.process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                name = _name(process)
                sizes[name] = sizes.get(name, 0) + process.memory_full_info().pss
        return sizes


@contextlib.contextmanager
def running(*, environment: Mapping[str, str] | None = None, ready_timeout_s: float = 120.0) -> Iterator[Stack]:
    """Start the whole process tree, yield it when it is ready, and end it whatever happens.

    Unless `environment` says otherwise, an image that is sent twice is looked at twice.
    """
    with tempfile.TemporaryDirectory(prefix="gatepost-stack-") as scratch:
        ready, log = Path(scratch) / "ready.json", LOGS / f"gatepostd-{os.getpid()}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "gatepost_server.cli", "up", "--port", "0"]
        command += ["--state", str(Path(scratch) / "state"), "--ready-file", str(ready)]
        started = time.monotonic()
        with log.open("wb") as stream:
            child = subprocess.Popen(
                command, stdout=stream, stderr=stream, env=os.environ | _NOT_FROM_MEMORY | (environment or {})
            )
        try:
            wait_ready(child, ready, log, seconds=ready_timeout_s)
            listening = json.loads(ready.read_text())
            ready_s = time.monotonic() - started
            process = psutil.Process(child.pid)
            yield Stack(
                listening["grpc"], process, ready_s, log, listening["http"], listening["triton"], listening["console"]
            )
        finally:
            _stop(child)


def wait_ready(child: subprocess.Popen[bytes], ready: Path, log: Path, *, seconds: float) -> None:
    """Returns when gatepostd has written its ready file. Raises StackFailedError."""
    deadline = time.monotonic() + seconds
    while not ready.exists():
        if child.poll() is not None:
            raise StackFailedError(f"gatepostd ended with {child.returncode}:\n{_tail(log)}")
        if time.monotonic() > deadline:
            raise StackFailedError(f"gatepostd was not ready in time:\n{_tail(log)}")
        time.sleep(0.02)


def _stop(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(60)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _tail(log: Path, lines: int = 30) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _name(process: psutil.Process) -> str:
    command: Sequence[str] = process.cmdline()
    if command and command[0].endswith("triton_python_backend_stub"):
        return f"stub {Path(command[1]).parts[-3]}"
    if command and command[0].endswith("tritonserver"):
        return "tritonserver"
    return "gatepostd"
