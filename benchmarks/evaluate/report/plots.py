"""The report's pictures: ROC curves, reliability diagrams, the evasion card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

IMAGES = Path(__file__).parents[3] / "docs" / "images"
_LANGUAGES = {"zh": "#b3202a", "en": "#1f5f99"}
_ACROSS = 4  # panels in a row
# Text stays text and nothing depends on the day, so that the files are small and diffs are true.
_SVG = {"svg.fonttype": "none", "svg.hashsalt": "gatepost"}


def draw(quality: Mapping[str, Any], folder: Path = IMAGES) -> list[Path]:
    """Write the pictures that this run has figures for."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    with mpl.rc_context(_SVG):
        for name, part, make in (
            ("quality-roc", "separation", _roc),
            ("quality-reliability", "calibration", _reliability),
            ("quality-evasions", "evasions", _evasions),
        ):
            if quality.get(part):
                figure = make(quality[part])
                path = folder / f"{name}.svg"
                figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
                plt.close(figure)
                made.append(path)
    return made


def _roc(part: Mapping[str, Any]) -> Figure:
    figure, axes = plt.subplots(figsize=(6, 4.5))
    for category, curve in part.items():
        false, true = zip(*curve["points"], strict=True)
        axes.plot(false, true, linewidth=1.2, label=f"{category} {curve['auc']['value'] / 100:.3f}")
    axes.set_xscale("symlog", linthresh=0.001)
    axes.set(xlim=(0, 1), ylim=(0, 1.01), xlabel="kind cards flagged", ylabel="cards of the category flagged")
    axes.axvline(0.01, color="0.7", linewidth=0.8, linestyle=":")
    axes.legend(title="AUC", fontsize=7, loc="lower right")
    axes.set_title("ROC by category, cards end to end", fontsize=10)
    return figure


def _reliability(part: Mapping[str, Any]) -> Figure:
    down = -(-len(part) // _ACROSS)
    figure, grid = plt.subplots(down, _ACROSS, figsize=(2.2 * _ACROSS, 2.2 * down), squeeze=False, layout="constrained")
    for axes in grid.flat[len(part) :]:
        axes.set_visible(False)
    for axes, (category, curve) in zip(grid.flat, part.items(), strict=False):
        axes.plot([0, 1], [0, 1], color="0.7", linewidth=0.8)
        said, was = ([one[key] for one in curve["bins"]] for key in ("predicted", "observed"))
        axes.plot(said, was, marker="o", markersize=3, linewidth=1)
        axes.set_title(f"{category}: ECE {curve['ece']['value'] / 100:.3f}", fontsize=8)
        axes.tick_params(labelsize=6)
    figure.supxlabel("score", fontsize=8)
    figure.supylabel("share of cards that are so", fontsize=8)
    return figure


def _evasions(part: Mapping[str, Any]) -> Figure:
    names = sorted(part["by_evasion"], key=lambda name: part["by_evasion"][name]["at_1_percent"]["value"])
    figure, axes = plt.subplots(figsize=(6.5, 0.32 * len(names) + 1))
    for place, name in enumerate(names):
        row = part["by_evasion"][name]
        _bar(axes, place, row["at_1_percent"], "0.8", 0.7)
        for language, share in row["by_language"].items():
            shift = -0.15 if language == "zh" else 0.15
            _point(axes, place + shift, share["at_1_percent"], _LANGUAGES.get(language, "0.3"))
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set(xlim=(0, 100), xlabel="recall at 1 % false positives, % (bars: all; points: zh red, en blue)")
    axes.axvline(90, color="0.5", linewidth=0.8, linestyle=":")
    axes.set_title("Evasion card", fontsize=10)
    return figure


def _bar(axes: Axes, place: float, share: Mapping[str, float], colour: str, height: float) -> None:
    axes.barh(place, share["value"], height=height, color=colour)


def _point(axes: Axes, place: float, share: Mapping[str, float], colour: str) -> None:
    sides = [[share["value"] - share["low"]], [share["high"] - share["value"]]]
    axes.errorbar(share["value"], place, xerr=sides, fmt="o", markersize=3, linewidth=0.8, color=colour)
