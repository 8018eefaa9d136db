"""Waits by callers, and waits by what is on an image."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

IMAGES = Path(__file__).parents[2] / "docs" / "images"
# Text stays text and nothing depends on the day, so that the files are small and diffs are true.
SVG = {"svg.fonttype": "none", "svg.hashsalt": "gatepost"}
_SHOWN = ("decode", "ocr_detect", "ocr_recognize", "text_toxicity", "clip")
_AXES = {"side": "pixels a side", "lines": "lines of text", "frames": "frames"}

Told = Mapping[str, Any]


def draw(parts: Mapping[str, Told], folder: Path = IMAGES) -> None:
    """Write the pictures that there are figures for."""
    if "latency" in parts:
        save(_latency, parts["latency"]["by_callers"], folder / "performance-latency.svg")
    if "growth" in parts:
        save(_growth, parts["growth"]["growth"], folder / "performance-growth.svg")


def save(make: Callable[[Told], Figure], figures: Told, path: Path) -> None:
    """Draw and write one picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(SVG):
        figure = make(figures)
        figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
        plt.close(figure)


def _latency(by_callers: Told) -> Figure:
    figure, (waits, rates) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
    callers = [int(each) for each in by_callers]
    for name in ("p50", "p99"):
        seconds = [of["parts_ms"]["client"][name] / 1_000 for of in by_callers.values()]
        waits.plot(callers, seconds, marker="o", markersize=4, label=name)
    waits.set(xscale="log", yscale="log", xlabel="callers at a time", ylabel="wait, s")
    waits.legend()
    rates.plot(callers, [of["images_per_second"] for of in by_callers.values()], marker="o", markersize=4, color="0.3")
    rates.set(xscale="log", xlabel="callers at a time", ylabel="images a second")
    rates.set_ylim(bottom=0)
    for axes in (waits, rates):
        axes.set_xticks(callers, [str(each) for each in callers])
        axes.minorticks_off()
    return figure


def _growth(growth: Told) -> Figure:
    figure, grid = plt.subplots(1, len(growth), figsize=(3.6 * len(growth), 3), layout="constrained")
    for axes, (what, by_size) in zip(grid, growth.items(), strict=True):
        sizes = [int(size) for size in by_size]
        waits = [median(of["ms"]) for of in by_size.values()]
        axes.plot(sizes, waits, marker="o", markersize=4, color="k", label="wait")
        for stage in _SHOWN:
            spent = [of["stages_ms"].get(stage, 0.0) for of in by_size.values()]
            axes.plot(sizes, spent, marker=".", linewidth=0.9, label=stage)
        axes.set(xlabel=_AXES[what], ylabel="ms, one at a time")
        if what != "lines":
            axes.set_xscale("log", base=2)
            axes.set_xticks(sizes, [str(size) for size in sizes], fontsize=7)
        axes.set_ylim(bottom=0)
    grid[0].legend(fontsize=7)
    return figure
