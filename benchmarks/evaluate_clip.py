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

STYLES = {name: (name,) for name in (*sources.ICONIFY_EMOJI_TEST, sources.EMOJI_3D)}
COMMAND = "make evaluate-clip"
_FIRST_SEED = 500_000_000
SEEN, APART = "categories", "held_out"  # drawings of concepts that were trained on in other styles, or never
MEAN_AUC_TARGETS = {SEEN: ("seen", 0.95), APART: ("held-out", 0.85)}  # the mean over all categories and styles
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
        scored = score(maker.draw(_FIRST_SEED + seed, name) for seed, name in wanted)
        apart = FullCardMaker(given.cache, sets, apart=True)
        wanted = [(seed, name) for name in apart.categories for seed in range(given.risky)]
        apart_scored = score(apart.draw(_FIRST_SEED + seed, name) for seed, name in wanted)
        styles[style] = {**measure(scored, calibration), APART: areas_apart(scored, apart_scored)}
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


def areas_apart(kind: Scored, apart: Scored) -> dict[str, float]:
    """By category, the AUC of the kind cards of one against the cards of the other, with the shipped tiles."""
    calm = kind.by_layout[SHIPPED_LAYOUT][np.array(kind.labels) == ""]
    found = {}
    for name in sorted(set(apart.labels)):
        column = apart.categories.index(name)
        risky = apart.by_layout[SHIPPED_LAYOUT][np.array(apart.labels) == name]
        truth = np.repeat([0, 1], [len(calm), len(risky)])
        found[name] = round(float(roc_auc_score(truth, np.concatenate([calm[:, column], risky[:, column]]))), 4)
    return found


def judged(styles: Mapping[str, Mapping[str, Any]]) -> list[targets.Target]:
    """Targets met and missed: mean areas over all styles, false alarms in the first (what generators draw looks so)."""
    style, found = next(iter(styles.items()))
    areas: dict[str, list[float]] = {SEEN: [], APART: []}
    for each in styles.values():
        areas[SEEN] += [row["auc"][SHIPPED_LAYOUT] for row in each[SEEN].values() if "auc" in row]
        areas[APART] += each[APART].values()
    rows = [
        targets.at_least(f"mean AUC, {name} concepts", float(np.mean(areas[key])), least, "", COMMAND)
        for key, (name, least) in MEAN_AUC_TARGETS.items()
    ]
    alarms = found["false_alarms_in_any_category"]
    rows.append(targets.at_most(f"false alarms at 0.5, {style}", 100 * alarms, FALSE_ALARM_TARGET, "%", COMMAND))
    return rows


def _share(hits: NDArray[np.bool_]) -> float:
    return round(float(hits.mean()), 4) if len(hits) else 0.0


if __name__ == "__main__":
    main()
