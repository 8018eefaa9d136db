"""How tritonserver is to be run. A plain dataclass: the command line builds it from file and environment."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path


def default_cache() -> Path:
    """Where the assembled runtime lives unless told: nothing in it is worth keeping."""
    return Path.home() / ".cache" / "gatepost"


@dataclass(frozen=True, slots=True)
class TritonSettings:
    """One tritonserver. Ports of 0 are replaced by free ones (`with_ports`); times are seconds."""

    repository: Path
    host: str = "127.0.0.1"
    grpc_port: int = 0
    http_port: int = 0
    metrics_port: int = 0
    cache: Path = field(default_factory=default_cache)
    log_file: Path | None = None  # None: standard error
    layout: str = ""  # of the model repository: "" or a name among its configs, such as "merged_ocr"
    instances: Mapping[str, int] = field(default_factory=dict)  # model name to count, over config.pbtxt
    parameters: Mapping[str, str] = field(default_factory=dict)  # "<key>" or "<stage>_<key>", over config.pbtxt
    arguments: tuple[str, ...] = ()  # more arguments of tritonserver
    ready_timeout_s: float = 120.0
    stop_timeout_s: float = 10.0  # SIGTERM, then this long, then SIGKILL
    watch_interval_s: float = 0.5
    restart_backoff_s: tuple[float, ...] = (0.5, 2.0, 8.0, 30.0)  # after the last one in a row: give up
    healthy_after_s: float = 60.0  # a server that lived this long starts the row anew

    @property
    def grpc_address(self) -> str:
        """Where clients find the models."""
        return f"{self.host}:{self.grpc_port}"


def with_ports(settings: TritonSettings) -> TritonSettings:
    """The settings with free ports in place of those that are 0."""
    wanted = (settings.grpc_port, settings.http_port, settings.metrics_port)
    sockets = [socket.create_server((settings.host, 0)) for _ in wanted]  # together, so that they differ
    free = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    grpc, http, metrics = (port or chosen for port, chosen in zip(wanted, free, strict=True))
    return replace(settings, grpc_port=grpc, http_port=http, metrics_port=metrics)
