"""Images through a child process, which may crash or hang: then the next image gets a new child."""

from __future__ import annotations

import json
import selectors
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import IO

HANG_CPU_S = 5.0
HANG_WALL_S = 60.0  # a machine that does other things as well must not look like a hang


@dataclass(frozen=True, slots=True)
class Answer:
    """`why` is "" for an image that was read, a reason, "crash: ..." or "hang"."""

    why: str
    cpu_s: float
    anon_mb: float

    @property
    def read(self) -> bool:
        """Whether the child took it for a good image."""
        return not self.why

    @property
    def fault(self) -> bool:
        """Whether the child failed, and not the image."""
        return self.why.startswith(("crash", "hang", "untyped"))


class Child:
    """A worker of benchmarks.fuzz.worker in the given role."""

    def __init__(self, role: str) -> None:
        self._role = role
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def ask(self, data: bytes) -> Answer:
        """What the child makes of the image; a dead or hanging child is replaced before the next one."""
        process = self._process = self._process or self._start()
        stdin, stdout = _pipes(process)
        try:
            stdin.write(struct.pack(">I", len(data)) + data)
            stdin.flush()
            line = _line(stdout)
        except BrokenPipeError:
            line = b""
        if line is None:
            self._end()
            return Answer("hang", HANG_WALL_S, 0.0)
        if not line:
            code = process.wait()
            self._end()
            return Answer(f"crash: {code}", 0.0, 0.0)
        fields = json.loads(line)
        slow = fields["cpu_s"] > HANG_CPU_S
        return Answer("hang" if slow else fields["why"], fields["cpu_s"], fields["anon_mb"])

    def _start(self) -> subprocess.Popen[bytes]:
        command: Sequence[str] = [sys.executable, "-m", "benchmarks.fuzz.worker", self._role]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the child has no pipes")
    return process.stdin, process.stdout


def _line(stdout: IO[bytes]) -> bytes | None:
    """One line; b"" when the child ended, None when nothing came in time."""
    with selectors.DefaultSelector() as waiting:
        waiting.register(stdout, selectors.EVENT_READ)
        return stdout.readline() if waiting.select(HANG_WALL_S) else None
