"""How well the shipped CLIP model tells risky drawings from kind ones: `python -m benchmarks.evaluate_clip`.

Cards are drawn from styles that neither training nor calibration has seen. What counts is the area
under the ROC curve by category (kind cards against cards with one risky drawing) for the whole image
alone and for tiles, and what the calibrated probability makes of the cards at 0.5 and 0.8.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from benchmarks import targets
from gatepost_server.stages.clip.calibration import Calibration
from training.clip import sources
from training.clip.full_cards import FullCardMaker
from training.clip.scores import LAYOUTS, SHIPPED_LAYOUT, Scored, scorer

STYLES = {"fluent-emoji-flat": ("fluent-emoji-flat",), "openmoji": ("openmoji",)}
COMMAND = "make evaluate-clip"
_FIRST_SEED = 500_000_000
# By category: the least AUC over the shipped tiles in the first style.
AUC_TARGETS = {"weapons": 0.93, "drugs": 0.9, "ill_omen": 0.9, "insult": 0.9}
FALSE_ALARM_TARGET = 1.0  # per cent of kind cards at or above 0.5 in any category


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/gatepost/training")
    parser.add_argument("--model", type=Path, default=Path("model_repository/clip/1"))
    parser.add_argument("--kind", type=int, default=500, help="kind cards of each style")
    parser.add_argument("--risky", type=int, default=100, help="cards of each style and category")
    parser.add_argument("--out", type=Path, default=Path("out/evaluate/clip.json"))
    given = parser.parse_args()
    sources.fetch(given.cache)
    score = scorer(given.model, given.cache / "expanded")
    calibration = Calibration.load(given.model / "calibration.json")
    styles = {}
    for style, sets in STYLES.items():
        maker = FullCardMaker(given.cache, sets)
        wanted = [(seed, "") for seed in range(given.kind)]
        wanted += [(seed, name) for name in maker.categories for seed in range(given.risky)]
        styles[style] = measure(score(maker.draw(_FIRST_SEED + seed, name) for seed, name in wanted), calibration)
        print(style, json.dumps(styles[style], indent=1))
    rows = judged(styles)
    targets.write(given.out, rows, cards={"kind": given.kind, "risky": given.risky}, styles=styles)
    targets.show(rows, "evaluate-clip")


def measure(scored: Scored, calibration: Calibration) -> dict[str, Any]:
    """By category: AUC of each layout, and shares of cards at or above 0.5 and 0.8 with the shipped one."""
    labels, sizes = np.array(scored.labels), np.array(scored.sizes)
    kind = labels == ""
    shipped = scored.by_layout[SHIPPED_LAYOUT]
    found: dict[str, Any] = {"kind_cards": int(kind.sum()), "categories": {}}
    alarms = np.zeros(int(kind.sum()), dtype=bool)
    for name in calibration.lines:
        column = scored.categories.index(name)
        chances = calibration.probability(name, shipped[:, column])
        alarms |= chances[kind] >= 0.5
        risky = labels == name
        row: dict[str, Any] = {"false_alarms_at_0.5": _share(chances[kind] >= 0.5), "cards": int(risky.sum())}
        if risky.any():
            either = kind | risky
            row["auc"] = {
                layout: round(float(roc_auc_score(risky[either], scored.by_layout[layout][either, column])), 4)
                for layout in LAYOUTS
            }
            for size in ("whole", "corner"):
                of_size = risky & (sizes == size)
                row[f"found_at_0.5_{size}"] = _share(chances[of_size] >= 0.5)
                row[f"found_at_0.8_{size}"] = _share(chances[of_size] >= 0.8)
        found["categories"][name] = row
    found["false_alarms_in_any_category"] = _share(alarms)
    return found


def judged(styles: Mapping[str, Mapping[str, Any]]) -> list[targets.Target]:
    """Targets met and missed, for the first style: the one that looks most like what image generators draw."""
    style, found = next(iter(styles.items()))
    rows = [
        targets.at_least(
            f"AUC of {name}, {style}, tiles", found["categories"][name]["auc"][SHIPPED_LAYOUT], least, "", COMMAND
        )
        for name, least in AUC_TARGETS.items()
        if "auc" in found["categories"].get(name, {})
    ]
    alarms = found["false_alarms_in_any_category"]
    rows.append(targets.at_most(f"false alarms at 0.5, {style}", 100 * alarms, FALSE_ALARM_TARGET, "%", COMMAND))
    return rows


def _share(hits: NDArray[np.bool_]) -> float:
    return round(float(hits.mean()), 4) if len(hits) else 0.0


if __name__ == "__main__":
    main()
