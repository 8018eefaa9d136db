"""Fits calibration.json: `python -m training.clip.calibrate`.

Platt's line for each category, fitted to cards drawn from styles that the model was not trained on
and, with new seeds, from those that it was. The intercept is then lowered until at most 0.5% of the
kind cards of either half reach 0.5.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from training.clip import sources
from training.clip.full_cards import FullCardMaker
from training.clip.risk import CATEGORIES
from training.clip.scores import SHIPPED_LAYOUT, scorer

SETS = {
    "styles of the training": (*sources.ICONIFY_EMOJI_TRAIN, "game-icons", "openclipart"),
    "styles not trained on": (*sources.ICONIFY_EMOJI_CALIBRATE, *sources.ICONIFY_ICONS_CALIBRATE),
}
FALSE_ALARMS = 0.005  # share of kind cards that may reach 0.5
_FIRST_SEED = 900_000_000  # far from the training's


def fit(raw: NDArray[np.float32], risky: NDArray[np.bool_], halves: NDArray[np.int_]) -> tuple[float, float]:
    """Slope and intercept of the log odds over raw scores [N]; `halves` tells which styles a card is of."""
    line = LogisticRegression(class_weight="balanced", C=1e3).fit(raw[:, None], risky)
    slope, intercept = float(line.coef_[0, 0]), float(line.intercept_[0])
    bars = [np.quantile(raw[~risky & (halves == half)], 1 - FALSE_ALARMS) for half in np.unique(halves)]
    return slope, min(intercept, -slope * float(max(bars)))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/gatepost/training")
    parser.add_argument("--model", type=Path, default=Path("model_repository/clip/1"))
    parser.add_argument("--kind", type=int, default=600, help="kind cards of each half")
    parser.add_argument("--risky", type=int, default=120, help="cards of each half and category")
    given = parser.parse_args()
    sources.fetch(given.cache)
    score = scorer(given.model, given.cache / "expanded")
    scores, labels, halves = [], [], []
    for half, sets in enumerate(SETS.values()):
        maker = FullCardMaker(given.cache, sets)
        cards = [(seed, "") for seed in range(given.kind)]
        cards += [(seed, name) for name in CATEGORIES if name in maker.categories for seed in range(given.risky)]
        scored = score(maker.draw(_FIRST_SEED + seed, name) for seed, name in cards)
        scores.append(scored.by_layout[SHIPPED_LAYOUT])
        labels += scored.labels
        halves += [half] * len(cards)
    raw, label, half_of = np.concatenate(scores), np.array(labels), np.array(halves)
    lines = {}
    for name in CATEGORIES:
        chosen = (label == name) | (label == "")
        column = raw[chosen, scored.categories.index(name)]
        slope, intercept = fit(column, label[chosen] == name, half_of[chosen])
        lines[name] = {"slope": round(slope, 4), "intercept": round(intercept, 4)}
    written = {
        "fitted_on": {name: list(sets) for name, sets in SETS.items()},
        "cards": {"kind": int((label == "").sum()), **{name: int((label == name).sum()) for name in CATEGORIES}},
        "tiles": SHIPPED_LAYOUT,
        "categories": lines,
    }
    (given.model / "calibration.json").write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    main()
