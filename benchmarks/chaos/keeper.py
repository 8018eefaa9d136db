"""Whoever runs gatepostd: starts it again whenever it ends, as systemd (Restart=always) or a container engine does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

_PAUSE_S = 0.2  # before the next start
_STOP_S = 40.0
_STUB = "triton_python_backend_stub"


class Keeper:
    """One gatepostd and its successors: the same port, the same state."""

    def __init__(self, data: Path, repository: Path, environment: Mapping[str, str]) -> None:
        """State and log go into `data`; `environment` is laid over ours. Changes of it hold from the next start on."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.state = data / "state"
        self.log = data / "log"
        self.environment = dict(environment)
        self.exit_codes: list[int] = []
        self._repository = repository
        self._ready = data / "ready.json"
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """Of the gateway, host:port."""
        return f"127.0.0.1:{self.port}"

    async def start(self, timeout_s: float) -> None:
        """Start it and wait until it is ready. Raises TimeoutError."""
        self._keeping = asyncio.create_task(self._keep())
        async with asyncio.timeout(timeout_s):
            while not self._ready.exists():
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """End it for good."""
        if self._keeping is not None:
            self._keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeping
        process = self._process
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _STOP_S)
            except TimeoutError:
                process.kill()
                await process.wait()

    def gateway(self) -> psutil.Process:
        """The process that is gateway and supervisor, the root of the tree. Raises RuntimeError while there is none."""
        if self._process is None or self._process.returncode is not None:
            raise RuntimeError("gatepostd does not run")
        return psutil.Process(self._process.pid)

    def triton(self) -> psutil.Process:
        """tritonserver. Raises RuntimeError while there is none."""
        for child in self.gateway().children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if child.name() == "tritonserver" and child.status() != psutil.STATUS_ZOMBIE:
                    return child
        raise RuntimeError("tritonserver does not run")

    def stubs(self) -> Mapping[str, psutil.Process]:
        """The newest living stub of each model. Raises RuntimeError while there is no tritonserver."""
        return dict(sorted(self._stubs(), key=lambda pair: pair[1].create_time()))

    def _stubs(self) -> Iterator[tuple[str, psutil.Process]]:
        for child in self.triton().children():
            with contextlib.suppress(psutil.NoSuchProcess):
                command = child.cmdline()
                if command and Path(command[0]).name == _STUB and child.status() != psutil.STATUS_ZOMBIE:
                    yield Path(command[1]).parts[-3], child

    async def _keep(self) -> None:
        command = [sys.executable, "-m", "gatepost_server.cli", "up", "--port", str(self.port)]
        command += ["--model-repository", str(self._repository), "--state", str(self.state)]
        while True:
            self._ready.unlink(missing_ok=True)
            with self.log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *command,
                    "--ready-file",
                    str(self._ready),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, **self.environment},
                )
            self.exit_codes.append(await self._process.wait())
            await asyncio.sleep(_PAUSE_S)


def terminate(process: psutil.Process) -> None:
    """As a service manager asks a process to end."""
    process.send_signal(signal.SIGTERM)
