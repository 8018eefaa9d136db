"""What people did with a verdict, as far as callers are told: never who they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Ground(StrEnum):
    """On what people's BLOCK rests."""

    REQUEST = "request"  # what was asked for: other words may well work
    PICTURE = "picture"  # what was drawn, though nobody asked for it: no mistake of the person who asked
    UNSPECIFIED = "unspecified"


@dataclass(frozen=True, slots=True)
class PeoplesAnswer:
    """How it stands with the people who look at images. What they decided is Verdict.decision."""

    waiting: bool = False  # they look at it still
    decided: datetime | None = None  # UTC; None: they have not
    appealed: bool = False  # the person who asked for the image appealed
    appeal_granted: bool = False  # rightly: not showing the image was a mistake
    ground: Ground = Ground.UNSPECIFIED  # of a BLOCK

    def to_dict(self) -> dict[str, Any]:
        """In types that JSON knows."""
        return {
            "waiting": self.waiting,
            "decided": self.decided.isoformat() if self.decided else None,
            "appealed": self.appealed,
            "appeal_granted": self.appeal_granted,
            "ground": self.ground.value,
        }
