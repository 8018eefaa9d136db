"""The little of Triton's HTTP API that running a server takes."""

from __future__ import annotations

import http.client
import json
import select
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_LOOK_MS = 200  # how often it is asked whether the server has ended


class ManagementError(RuntimeError):
    """Triton refused, or could not be reached."""


@dataclass(frozen=True, slots=True)
class Management:
    """The HTTP endpoint of one tritonserver; `ended` says that it will never answer again."""

    host: str
    port: int
    ended: Callable[[], bool] = lambda: False

    def ready(self) -> bool:
        """Do all models answer? A dead stub goes unnoticed here."""
        try:
            status, _ = self._call("GET", "/v2/health/ready", timeout=2)
        except ManagementError:
            return False
        return status == 200

    def models(self) -> tuple[str, ...]:
        """The names of all loaded models."""
        listed = self._json("POST", "/v2/repository/index", {"ready": True})
        return tuple(model["name"] for model in listed)

    def config(self, model: str) -> dict[str, Any]:
        """The model's configuration in the JSON form of config.pbtxt."""
        return dict(self._json("GET", f"/v2/models/{model}/config"))

    def load(self, model: str, config: dict[str, Any]) -> None:
        """Load the model with this configuration; one that changed nothing loads nothing."""
        self._json("POST", f"/v2/repository/models/{model}/load", {"parameters": {"config": json.dumps(config)}})

    def _json(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        status, answer = self._call(method, path, body, timeout=120)
        if status != 200:
            raise ManagementError(f"{method} {path}: {status} {answer.decode(errors='replace')[:500]}")
        return json.loads(answer) if answer else None

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None, *, timeout: float) -> tuple[int, bytes]:
        # http.client and not urllib: a proxy of the environment must not come between us and this host.
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            self._wait(connection, timeout)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ManagementError(f"{method} {path}: {error}") from error
        finally:
            connection.close()

    def _wait(self, connection: http.client.HTTPConnection, timeout: float) -> None:
        """Until the answer begins. Raises TimeoutError, ConnectionError.

        A server that died leaves the connection open: the stub that it was just starting has inherited it.
        """
        deadline = time.monotonic() + timeout
        answer = select.poll()  # not select(): it knows no file above 1,023
        answer.register(connection.sock, select.POLLIN)
        while not answer.poll(_LOOK_MS):
            if self.ended():
                raise ConnectionError("the server has ended")
            if time.monotonic() > deadline:
                raise TimeoutError("timed out")
