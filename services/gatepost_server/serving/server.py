"""One tritonserver process: its command line, environment, start and stop."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Event

from gatepost_server.serving.child import start_bound
from gatepost_server.serving.management import Management
from gatepost_server.serving.parameters import PREFIX
from gatepost_server.serving.repository import arranged
from gatepost_server.serving.runtime import Runtime, assemble
from gatepost_server.serving.settings import TritonSettings, with_ports
from gatepost_server.serving.shared_memory import SharedMemory, remove_leaked

TAIL_LINES = 20
ERROR_LINE = re.compile(r"E\d{4} |error: ")
POLL_S = 0.05


class TritonFailedError(RuntimeError):
    """tritonserver ended, or did not get ready in time; the message ends with the end of its log."""


class StoppedError(RuntimeError):
    """Somebody asked for a stop while the server was still starting."""


class TritonServer:
    """A started tritonserver. `stop` must be called, also after it ended by itself."""

    def __init__(self, settings: TritonSettings) -> None:
        """Start it; returns at once. Raises RuntimeMissingError, RepositoryError."""
        self._settings = settings = with_ports(settings)
        self.grpc_address = settings.grpc_address
        self.management = Management(
            "127.0.0.1" if settings.host == "0.0.0.0" else settings.host,
            settings.http_port,
            ended=lambda: self.exit_code() is not None,
        )
        runtime = assemble(settings.cache)
        remove_leaked()
        self._folder = Path(tempfile.mkdtemp(prefix="gatepost-repository-"))
        self._memory = SharedMemory()
        self._log_start = _size(settings.log_file)
        try:
            repository = arranged(
                settings.repository.absolute(), self._folder, layout=settings.layout, instances=settings.instances
            )
            command = _command(settings, runtime, repository, self._memory.prefix)
            environment = _environment(os.environ, settings, runtime)
            self._process = self._spawn(command, environment)
        except BaseException:
            self._clean()
            raise
        finally:
            self._memory.release()
        self.started = time.monotonic()

    @property
    def pid(self) -> int:
        """The server's process id; its stubs are this process' children."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._process.poll()

    def wait_ready(self, stop: Event) -> None:
        """Return when every model is loaded. Raises TritonFailedError, StoppedError."""
        deadline = self.started + self._settings.ready_timeout_s
        while not self.management.ready():
            code = self.exit_code()
            if code is not None:
                raise TritonFailedError(f"tritonserver ended with {code} before it was ready{self._log_tail()}")
            if time.monotonic() > deadline:
                raise TritonFailedError(
                    f"tritonserver was not ready after {self._settings.ready_timeout_s:g} s{self._log_tail()}"
                )
            if stop.wait(POLL_S):
                raise StoppedError

    def stop(self) -> None:
        """SIGTERM, then SIGKILL after the settings' time; leaves no process, file or shared memory behind."""
        if self.exit_code() is None:
            self._process.terminate()
            try:
                self._process.wait(self._settings.stop_timeout_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        _end_session(self._process.pid)
        self._clean()

    def _spawn(self, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        log = self._settings.log_file
        if log is None:
            return start_bound(command, environment=environment, output=None, keep_open=[self._memory.lock])
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            return start_bound(command, environment=environment, output=output, keep_open=[self._memory.lock])

    def _clean(self) -> None:
        self._memory.remove()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _log_tail(self) -> str:
        log = self._settings.log_file
        if log is None:
            return "; see its log above"
        with log.open("rb") as file:
            file.seek(self._log_start)
            lines = file.read().decode(errors="replace").splitlines()
        return "\n".join([f"; from {log}:", *_telling(lines)[-TAIL_LINES:]])


def _telling(lines: list[str]) -> list[str]:
    """Triton's last words are tables; what went wrong stands in the lines about models, or else in the errors."""
    models = [line for line in lines if ERROR_LINE.match(line) and "failed to load '" in line]
    errors = [line for line in lines if ERROR_LINE.match(line)]
    return "\n".join(models or errors or lines).replace("\\n", "\n").splitlines()


def _command(settings: TritonSettings, runtime: Runtime, repository: Path, shm_prefix: str) -> list[str]:
    return [
        str(runtime.executable),
        f"--model-repository={repository}",
        f"--backend-directory={runtime.backends}",
        f"--cache-directory={runtime.caches}",
        f"--backend-config=python,shm-region-prefix-name={shm_prefix}",
        # Explicit, so that the supervisor may reload a model whose stub died; nothing else makes Triton do that.
        "--model-control-mode=explicit",
        "--load-model=*",
        f"--model-load-thread-count={len(list(repository.iterdir()))}",
        # Starts one stub less for each model: 9.3 -> 3.7 s with 15 stubs.
        "--disable-auto-complete-config",
        "--metrics-config=summary_latencies=true",
        "--allow-gpu-metrics=false",
        "--log-info=false",  # tables and one line for each model; errors stay
        f"--exit-timeout-secs={max(1, int(settings.stop_timeout_s) - 2)}",
        f"--grpc-address={settings.host}",
        f"--grpc-port={settings.grpc_port}",
        f"--http-address={settings.host}",
        f"--http-port={settings.http_port}",
        f"--metrics-address={settings.host}",
        f"--metrics-port={settings.metrics_port}",
        *settings.arguments,
    ]


def _environment(inherited: Mapping[str, str], settings: TritonSettings, runtime: Runtime) -> dict[str, str]:
    """Ours without the gateway's settings, which may hold secrets; with the models' parameters."""
    passed = {
        name: value for name, value in inherited.items() if name.startswith(PREFIX) or not name.startswith("GATEPOST_")
    }
    parameters = {PREFIX + key.upper(): value for key, value in settings.parameters.items()}
    return {**passed, **parameters, "PATH": runtime.path, "LD_LIBRARY_PATH": runtime.library_path}


def _end_session(leader: int) -> None:
    """Kill what is left of the server's session: stubs that outlived a killed server."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return


def _size(log: Path | None) -> int:
    return log.stat().st_size if log is not None and log.exists() else 0
