"""How tritonserver is to be run. A plain dataclass: the command line builds it from file and environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


def default_cache() -> Path:
    """Where the assembled runtime lives unless told: nothing in it is worth keeping."""
    return Path.home() / ".cache" / "gatepost"


@dataclass(frozen=True, slots=True)
class TritonSettings:
    """One tritonserver. Ports of 0 are chosen free at start; times are seconds."""

    repository: Path
    host: str = "127.0.0.1"
    grpc_port: int = 8001
    http_port: int = 8000
    metrics_port: int = 8002
    cache: Path = field(default_factory=default_cache)
    log_file: Path | None = None  # None: standard error
    instances: Mapping[str, int] = field(default_factory=dict)  # model name to count, over config.pbtxt
    parameters: Mapping[str, str] = field(default_factory=dict)  # "<key>" or "<stage>_<key>", over config.pbtxt
    arguments: tuple[str, ...] = ()  # more arguments of tritonserver
    ready_timeout_s: float = 120.0
    stop_timeout_s: float = 10.0  # SIGTERM, then this long, then SIGKILL
    watch_interval_s: float = 0.5
    restart_backoff_s: tuple[float, ...] = (0.5, 2.0, 8.0, 30.0)  # after the last one in a row: give up
    healthy_after_s: float = 60.0  # a server that lived this long starts the row anew
