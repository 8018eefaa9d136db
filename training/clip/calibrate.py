"""Fits calibration.json: `python -m training.clip.calibrate`.

A category's line through two points of what kind cards score, from styles of the training (new seeds)
and from styles that it never saw: a few in a thousand kind cards reach 0.5 (ALARMS), one in a thousand 0.8. So 0.5 is
a level to review at and 0.8 is clear. Anchoring on false alarms and not on found drawings (Platt 1999)
keeps the levels where they are when the model finds more.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.clip import sources
from training.clip.full_cards import FullCardMaker
from training.clip.risk import CATEGORIES
from training.clip.scores import SHIPPED_LAYOUT, scorer

SETS = {
    "styles of the training": (*sources.ICONIFY_EMOJI_TRAIN, "game-icons", "openclipart"),
    "styles not trained on": (*sources.ICONIFY_EMOJI_CALIBRATE, *sources.ICONIFY_ICONS_CALIBRATE),
}
REVIEW, CLEAR = 0.5, 0.8
# The share of kind cards that may reach each; a missed weapon costs more than a second look.
ALARMS = {"weapons": (0.007, 0.0015)}
ALARMS_ELSEWHERE = (0.004, 0.001)
_LEAST_GAP = 0.75  # raw units between the two points; nearer quantiles are chance
_FIRST_SEED = 900_000_000  # far from the training's


def line_through(kind: NDArray[np.float32], alarms: tuple[float, float]) -> tuple[float, float]:
    """Slope and intercept of the log odds, from the raw scores [N] of kind cards."""
    low, high = (float(np.quantile(kind, 1 - share)) for share in alarms)
    odds_low, odds_high = (math.log(chance / (1 - chance)) for chance in (REVIEW, CLEAR))
    slope = (odds_high - odds_low) / max(high - low, _LEAST_GAP)
    return slope, odds_low - slope * low


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/gatepost/training")
    parser.add_argument("--model", type=Path, default=Path("model_repository/clip/1"))
    parser.add_argument("--kind", type=int, default=300, help="kind cards of each half")
    given = parser.parse_args()
    sources.fetch(given.cache)
    score = scorer(given.model, given.cache / "expanded")
    halves = []
    for sets in SETS.values():
        maker = FullCardMaker(given.cache, sets)
        scored = score(maker.draw(_FIRST_SEED + seed) for seed in range(given.kind))
        halves.append(scored.by_layout[SHIPPED_LAYOUT])
    raw = np.concatenate(halves)
    lines = {}
    for name in CATEGORIES:
        slope, intercept = line_through(raw[:, scored.categories.index(name)], ALARMS.get(name, ALARMS_ELSEWHERE))
        lines[name] = {"slope": round(slope, 4), "intercept": round(intercept, 4)}
    written = {
        "fitted_on": {name: list(sets) for name, sets in SETS.items()},
        "kind_cards": len(raw),
        "tiles": SHIPPED_LAYOUT,
        "categories": lines,
    }
    (given.model / "calibration.json").write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    main()
