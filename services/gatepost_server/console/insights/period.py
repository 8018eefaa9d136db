"""Stretches of time that pages speak of."""

from __future__ import annotations

import math
from dataclasses import dataclass

DAY_S = 86_400.0

DAYS = (1, 7, 30, 90)  # to choose from
DEFAULT_DAYS = 30


@dataclass(frozen=True, slots=True)
class Period:
    """The last so many days, today included; days are UTC's. Times are Unix seconds."""

    days: int
    edges: tuple[float, ...]  # of hours where it is one day, else of days; ascending

    @classmethod
    def last(cls, days: int, now: float) -> Period:
        """Up to the end of the hour or day that `now` is in."""
        step = DAY_S / 24 if days == 1 else DAY_S
        end = (math.floor(now / step) + 1) * step
        count = 24 if days == 1 else days
        return cls(days, tuple(end - (count - place) * step for place in range(count + 1)))

    @property
    def since(self) -> float:
        """From then on."""
        return self.edges[0]

    @property
    def until(self) -> float:
        """And before then."""
        return self.edges[-1]
