"""Fits calibration.json: `python -m training.clip.calibrate`.

By category, first Platt's line (Platt 1999) over kind cards and cards with a risky drawing, so that a probability is
a frequency on such a mixture. Then, where too many kind cards would still reach 0.5, the line moves down until
as many do as ALARMS allows. What is rare is not counted but extrapolated: the highest tenth of the
kind cards' scores falls off about exponentially (peaks over threshold, Pickands 1975).
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from benchmarks import corpora
from benchmarks.cards import KIND, TRICKY, Split, Wanted, compose
from training.clip import sources
from training.clip.full_cards import FullCard, FullCardMaker
from training.clip.risk import CATEGORIES
from training.clip.scores import SHIPPED_LAYOUT, Scored, scorer

SETS = {
    "styles of the training": (*sources.ICONIFY_EMOJI_TRAIN, "game-icons", "openclipart"),
    "styles not trained on": (*sources.ICONIFY_EMOJI_CALIBRATE, *sources.ICONIFY_ICONS_CALIBRATE),
}
CARDS = "whole cards"
# The share of kind cards that may reach 0.5 in one category: on cards as the evaluation draws them, and on
# scattered drawings of all sorts, most of which no greeting card shows.
ALARMS = {CARDS: 0.0004, **dict.fromkeys(SETS, 0.004)}
_TAIL = 0.1  # of the kind cards, for the extrapolation
_FIRST_SEED = 900_000_000  # far from the training's
_FIRST_CARD = 600_000  # within the split


def platt(kind: NDArray[np.float32], risky: NDArray[np.float32]) -> tuple[float, float]:
    """Slope and intercept of the log odds of "risky", from the raw scores of both."""
    raw = np.concatenate([kind, risky])[:, None]
    fitted = LogisticRegression(C=1e6).fit(raw, np.repeat([0, 1], [len(kind), len(risky)]))
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def reached_by(kind: NDArray[np.float32], share: float) -> float:
    """The raw score that `share` of kind cards reach, with an exponential tail above the highest tenth's least."""
    start = float(np.quantile(kind, 1 - _TAIL))
    beyond = kind[kind > start] - start
    return start + float(beyond.mean()) * math.log(_TAIL / share)


def line(kind: dict[str, NDArray[np.float32]], risky: NDArray[np.float32]) -> tuple[float, float]:
    """One category's line: Platt's, moved down where more kind cards than ALARMS allows would reach 0.5."""
    slope, intercept = platt(np.concatenate(list(kind.values())), risky)
    least = max(reached_by(scores, ALARMS[name]) for name, scores in kind.items())
    return slope, min(intercept, -slope * least)


def kind_cards(count: int) -> Iterator[FullCard]:
    """Kind cards as the evaluation draws them, of the development split."""
    rng = random.Random(_FIRST_CARD)
    texts = [entry.lines for entry in corpora.load("dev", "kind_ordinary")]
    first = Split.DEV.seeds.start + _FIRST_CARD
    for seed in range(first, first + count):
        pictures = tuple(rng.sample(KIND + TRICKY, rng.randint(0, 2)))
        yield FullCard(compose(Wanted(rng.choice(texts), pictures, side=512), seed, Split.DEV).pixels, "", "")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/gatepost/training")
    parser.add_argument("--model", type=Path, default=Path("model_repository/clip/1"))
    parser.add_argument(
        "--kind", type=int, default=500, help="whole kind cards, and half as many of each kind of style"
    )
    parser.add_argument("--risky", type=int, default=40, help="cards of each category and kind of style")
    given = parser.parse_args()
    sources.fetch(given.cache)
    score = scorer(given.model, given.cache / "expanded")
    scored: dict[str, Scored] = {CARDS: score(kind_cards(given.kind))}
    for name, sets in SETS.items():
        maker = FullCardMaker(given.cache, sets)
        wanted = [(seed, "") for seed in range(given.kind // 2)]
        wanted += [(seed, category) for category in maker.categories for seed in range(given.risky)]
        scored[name] = score(maker.draw(_FIRST_SEED + seed, category) for seed, category in wanted)
    lines: dict[str, Any] = {}
    for category in CATEGORIES:
        kind, risky = {}, []
        for name, some in scored.items():
            raw = some.by_layout[SHIPPED_LAYOUT][:, some.categories.index(category)]
            labels = np.array(some.labels)
            kind[name] = raw[labels == ""]
            risky.append(raw[labels == category])
        slope, intercept = line(kind, np.concatenate(risky))
        lines[category] = {"slope": round(slope, 4), "intercept": round(intercept, 4)}
        shares = {name: round(float((slope * raw + intercept >= 0).mean()), 4) for name, raw in kind.items()}
        found = float((slope * np.concatenate(risky) + intercept >= 0).mean())
        print(f"{category}: kind cards at 0.5 {shares}, found {found:.2f}")
    written = {
        "fitted_on": {CARDS: [Split.DEV.value], **{name: list(sets) for name, sets in SETS.items()}},
        "kind_cards": 2 * given.kind,
        "tiles": SHIPPED_LAYOUT,
        "categories": lines,
    }
    (given.model / "calibration.json").write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    main()
