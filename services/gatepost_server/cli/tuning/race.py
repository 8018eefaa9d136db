"""Two plans side by side, in turns: whatever else the machine does hits both alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

Turn = Callable[[], float]  # runs once; images a second

HOPELESS = 0.9  # a first pair below this ends a race


@dataclass(frozen=True, slots=True)
class Race:
    """The challenger's rate as a share of the champion's, for each pair of turns."""

    ratios: Sequence[float]

    @property
    def gain(self) -> float:
        """The median pair's."""
        return median(self.ratios)

    @property
    def spread(self) -> tuple[float, float]:
        """The worst and the best pair's."""
        return min(self.ratios), max(self.ratios)

    def won(self, least: float) -> bool:
        """By `least` in the median, and faster in every pair: what one lucky turn gives is no gain."""
        return self.gain >= least and self.spread[0] > 1.0

    def __str__(self) -> str:
        """For people."""
        low, high = self.spread
        return f"{self.gain:.2f}x ({low:.2f} to {high:.2f})"


def race(champion: Turn, challenger: Turn, pairs: int) -> Race:
    """`pairs` turns of each; who goes first changes. Ends after the first pair where there is no hope."""
    ratios: list[float] = []
    for number in range(pairs):
        if number % 2:
            theirs = challenger()
            ours = champion()
        else:
            ours = champion()
            theirs = challenger()
        ratios.append(theirs / ours)
        if ratios[0] < HOPELESS:
            break
    return Race(tuple(ratios))
