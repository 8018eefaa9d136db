"""Where structured logs go and what they look like: standard error, one event a line."""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import Literal, TextIO, cast

import structlog
from pydantic_settings import BaseSettings, SettingsConfigDict


class LogSettings(BaseSettings):
    """`format` "auto" is for people on a terminal and JSON elsewhere."""

    model_config = SettingsConfigDict(env_prefix="GATEPOST_LOG_", extra="forbid", frozen=True)

    format: Literal["auto", "console", "json"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


def configure_logs(settings: LogSettings) -> None:
    """Set structlog up for this process."""
    as_json = settings.format == "json" or (settings.format == "auto" and not sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.dict_tracebacks] if as_json else []),
            structlog.processors.JSONRenderer(ensure_ascii=False) if as_json else structlog.dev.ConsoleRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.level.upper())),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, Unfailing(sys.stderr))),
    )


class Unfailing:
    """A text stream that drops what it cannot write: a full disk under the log must not fail the requests.

    ValueError is what a closed stream raises.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """As TextIO.write; says that all was written."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """As TextIO.flush."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()
