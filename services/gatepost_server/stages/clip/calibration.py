"""From raw zero-shot scores to probabilities (Platt 1999)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Calibration:
    """By category, slope and intercept of the log odds. Categories without a line are not scored."""

    lines: Mapping[str, tuple[float, float]]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads calibration.json."""
        rows = json.loads(path.read_text(encoding="utf-8"))["categories"]
        return cls({name: (float(row["slope"]), float(row["intercept"])) for name, row in rows.items()})

    @classmethod
    def none(cls, categories: Sequence[str]) -> Self:
        """Raw scores as they are, for models that nobody has calibrated: they are log odds already."""
        return cls(dict.fromkeys(categories, (1.0, 0.0)))

    def probability(self, category: str, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities of one category's raw scores, any shape."""
        slope, intercept = self.lines[category]
        odds = np.clip(slope * raw + intercept, -50, 50)
        found: NDArray[np.float32] = (1 / (1 + np.exp(-odds))).astype(np.float32)
        return found
