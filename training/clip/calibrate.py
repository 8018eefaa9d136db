"""Fits calibration.json: `python -m training.clip.calibrate`.

By category, first Platt's line (Platt 1999) over kind cards and cards with a risky drawing, so that a probability is
a frequency on such a mixture. Where too many kind cards would still reach 0.5, it is the likeliest line among
those that reach 0.5 where as many kind cards do as ALARMS allows.
"""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.linear_model import LogisticRegression

from benchmarks.cards import Split
from benchmarks.evaluate import plan
from benchmarks.evaluate.case import Suite
from benchmarks.evaluate.drawing import draw
from gatepost_server.stages.clip.fit import platt
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
ALARMS = {CARDS: 0.002, **dict.fromkeys(SETS, 0.01)}
MORE_ALARMS = {"weapons": 2.5}  # times as many: a missed weapon costs more than a second look
# Trained, but not to be trusted: whatever is drawn in one dark red ink looks like blood to it.
NOT_SCORED = frozenset({"violence"})
_FIRST_SEED = 900_000_000  # far from the training's


def line(
    kind: dict[str, NDArray[np.float32]], risky: NDArray[np.float32], allowance: float = 1.0
) -> tuple[float, float]:
    """One category's line: Platt's, or the likeliest that lets no more kind cards reach 0.5 than it may.

    That is `allowance` times what ALARMS says of each sort of kind cards.
    """
    calm = np.concatenate(list(kind.values()))
    slope, intercept = platt(calm, risky)
    least = max(float(np.quantile(scores, 1 - allowance * ALARMS[name])) for name, scores in kind.items())
    if slope * least + intercept <= 0:
        return slope, intercept
    raw, truth = np.concatenate([calm, risky]) - least, np.repeat([0, 1], [len(calm), len(risky)])
    slope = float(LogisticRegression(C=1e6, fit_intercept=False).fit(raw[:, None], truth).coef_[0, 0])
    return slope, -slope * least


def kind_cards(count: int) -> Iterator[FullCard]:
    """Ordinary cards of the development split as the evaluation judges them: every style, encoded with losses."""
    sizes = replace(plan.FULL, ordinary=count)
    for case in plan.cases(Split.DEV, sizes, Suite.ORDINARY):
        pixels = np.asarray(Image.open(io.BytesIO(draw(case))).convert("RGB"))
        yield FullCard(pixels, "", "")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/gatepost/training")
    parser.add_argument("--model", type=Path, default=Path("model_repository/clip/1"))
    parser.add_argument(
        "--kind", type=int, default=800, help="whole kind cards, and half as many of each kind of style"
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
    for category in (name for name in CATEGORIES if name not in NOT_SCORED):
        kind, risky = {}, []
        for name, some in scored.items():
            raw = some.by_layout[SHIPPED_LAYOUT][:, some.categories.index(category)]
            labels = np.array(some.labels)
            kind[name] = raw[labels == ""]
            risky.append(raw[labels == category])
        slope, intercept = line(kind, np.concatenate(risky), MORE_ALARMS.get(category, 1.0))
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
