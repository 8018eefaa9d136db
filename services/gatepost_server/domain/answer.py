"""What the person who asked for an image is told of what people did with it. Never who did it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gatepost_server.domain.labels import Decision


class Ground(StrEnum):
    """On what people's BLOCK rests: whose doing it is that the image is as it is."""

    REQUEST = "REQUEST"  # what was asked for
    PICTURE = "PICTURE"  # what was drawn, though nobody asked for it: the generator's mistake, hence ours


@dataclass(frozen=True, slots=True)
class Answer:
    """How it stands with people: they look at it still, or they decided."""

    waiting: bool
    decision: Decision | None = None  # None: not yet
    decided: float = 0.0  # Unix seconds
    appealed: bool = False
    granted: bool = False  # the appeal was right: stopping the image was our mistake
    ground: Ground | None = None  # of a BLOCK; None: not said, and the evidence does not tell
