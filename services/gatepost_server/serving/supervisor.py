"""Keeps one tritonserver answering.

Triton never restarts a Python stub that died, and stays "ready" all the while (triton-inference-server/server
issue 8604). So the stubs are watched; the model of a dead one is loaded anew with a changed parameter, for Triton
ignores a load that changes nothing. A server that died is started again, later each time, and given up after the
last of the settings' waits.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from threading import Event
from typing import Protocol

import structlog

from gatepost_server.serving.management import ManagementError
from gatepost_server.serving.server import StoppedError, TritonFailedError, TritonServer
from gatepost_server.serving.settings import TritonSettings, with_ports
from gatepost_server.serving.stubs import find_stubs, is_running

NONCE = "reload_nonce"

log = structlog.get_logger("gatepost.triton")


class Told(Protocol):
    """Who hears of restarts, from the supervisor's thread."""

    def server_restarted(self) -> None: ...

    def stub_restarted(self, model: str) -> None: ...


class Supervisor:
    """One tritonserver and its successors. Not for two threads at once."""

    def __init__(self, settings: TritonSettings, told: Told | None = None) -> None:
        self._told = told
        self._settings = with_ports(settings)  # chosen once: a restarted server must be found where it was
        self._server: TritonServer | None = None
        self._stubs: Mapping[int, str] = {}  # process id to model name
        self._failures = 0

    @property
    def grpc_address(self) -> str:
        """Where clients find the models, now or as soon as they are ready."""
        return self._settings.grpc_address

    @property
    def server(self) -> TritonServer:
        """The running server. Raises RuntimeError before the first start and after the stop."""
        if self._server is None:
            raise RuntimeError("tritonserver is not running")
        return self._server

    def start(self, stop: Event) -> TritonServer:
        """Start a server and wait until it is ready.

        Raises TritonFailedError, StoppedError, RuntimeMissingError, RepositoryError.
        """
        started = time.monotonic()
        self._server = TritonServer(self._settings)
        try:
            log.info("triton.starting", pid=self._server.pid)
            self._server.wait_ready(stop)
            self._stubs = find_stubs(self._server.pid)
        except BaseException:
            self.stop()
            raise
        log.info(
            "triton.ready",
            pid=self._server.pid,
            grpc=self.grpc_address,
            metrics=f"{self._settings.host}:{self._settings.metrics_port}",
            seconds=round(time.monotonic() - started, 2),
            stubs=len(self._stubs),
        )
        return self._server

    def run(self, stop: Event) -> bool:
        """Watch until `stop` is set (True) or the server is given up (False). Leaves stopping to `stop`."""
        while not stop.wait(self._settings.watch_interval_s):
            code = self.server.exit_code()
            if code is None:
                self._revive_stubs()
            elif not self._restart(code, stop):
                return stop.is_set()
        return True

    def stop(self) -> None:
        """Stop the server, if there is one."""
        if self._server is not None:
            server, self._server = self._server, None
            server.stop()
            log.info("triton.stopped", pid=server.pid, exit_code=server.exit_code())

    def _restart(self, code: int, stop: Event) -> bool:
        """Start a successor of a dead server; False when it is to be given up or stopped."""
        lived = time.monotonic() - self.server.started
        if lived >= self._settings.healthy_after_s:
            self._failures = 0
        log.error("triton.died", pid=self.server.pid, exit_code=code, lived_s=round(lived, 1))
        self.stop()
        for wait in self._settings.restart_backoff_s[self._failures :]:
            self._failures += 1
            if stop.wait(wait):
                return False
            try:
                self.start(stop)
            except StoppedError:
                return False
            except TritonFailedError as error:
                log.error("triton.restart_failed", attempt=self._failures, error=str(error))
            else:
                if self._told is not None:
                    self._told.server_restarted()
                return True
        log.error("triton.given_up", attempts=self._failures)
        return False

    def _revive_stubs(self) -> None:
        dead = {model for pid, model in self._stubs.items() if not is_running(pid, self.server.pid)}
        for model in sorted(dead):
            if self.server.exit_code() is not None:  # then its stubs are not what is wrong
                return
            log.warning("triton.stub_died", model=model)
            started = time.monotonic()
            try:
                config = self.server.management.config(model)
                config.setdefault("parameters", {})[NONCE] = {"string_value": str(time.time_ns())}
                self.server.management.load(model, config)
            except ManagementError as error:
                log.error("triton.reload_failed", model=model, error=str(error))
                continue
            # The model's other old stubs live on for seconds, until their last request is answered.
            old = {pid for pid, name in self._stubs.items() if name == model}
            self._stubs = {
                pid: name
                for pid, name in find_stubs(self.server.pid).items()
                if pid in self._stubs.keys() - old or (name == model and pid not in old)
            }
            if self._told is not None:
                self._told.stub_restarted(model)
            log.info("triton.stub_revived", model=model, seconds=round(time.monotonic() - started, 2))
