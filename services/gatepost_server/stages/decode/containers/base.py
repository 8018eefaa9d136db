"""What every container reader gives, and the errors that they share."""

from __future__ import annotations

from dataclasses import dataclass

from gatepost_server.domain.errors import ErrorReason, GatepostError
from gatepost_server.stages.decode.limits import refuse


@dataclass(frozen=True, slots=True)
class Header:
    """Format is Pillow's name. Width and height in pixels hold every frame, before orientation."""

    format: str
    width: int
    height: int
    frames: int


def truncated() -> GatepostError:
    """The file ends before its container says so."""
    return refuse(ErrorReason.IMAGE_TRUNCATED, "the file ends before the image does")


def corrupt(what: str) -> GatepostError:
    """The file contradicts its own format."""
    return refuse(ErrorReason.IMAGE_CORRUPT, what)
