"""The pages' plots. Matplotlib is brought in with the first of them: it is large, and most of the time nobody looks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatepost_server.console.insights.period import Period
from gatepost_server.console.insights.precision import Precision
from gatepost_server.console.insights.svg import Ink, svg
from gatepost_server.domain.labels import Decision

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK: Mapping[Decision, Ink] = {
    Decision.ALLOW: Ink.ALLOW,
    Decision.REVIEW: Ink.REVIEW,
    Decision.BLOCK: Ink.BLOCK,
    Decision.HOLD: Ink.HOLD,
}
STACKED = (Decision.BLOCK, Decision.REVIEW, Decision.HOLD)  # what was not allowed, from the bottom up

_POINTS = 72.0  # of an inch: figures are as many units wide as they have points
_SIZE = 10.0
_LABELS = 5  # on an axis of time, about


def decisions(period: Period, counts: Sequence[Mapping[Decision, int]], *, label: str) -> str:
    """Two rows over one axis of time: all verdicts, and the share of those that were not allowed."""
    figure = _figure(380, 215)
    above, below = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": (2, 3), "hspace": 0.28})
    figure.subplots_adjust(left=0.1, right=0.985, top=0.96, bottom=0.1)
    places = np.arange(len(counts))
    totals = np.array([sum(each.values()) for each in counts], float)
    above.bar(places, totals, width=0.72, color=Ink.FAINT)
    bottom = np.zeros(len(counts))
    for decision in STACKED:
        part = np.array([each.get(decision, 0) for each in counts], float)
        shares = np.divide(part, totals, out=np.zeros_like(part), where=totals > 0)
        below.bar(places, shares, width=0.72, bottom=bottom, color=INK[decision])
        bottom += shares
    for axes in (above, below):
        _plain(axes)
        _whole_numbers(axes, 2 if axes is above else 3)
    below.yaxis.set_major_formatter(_percent(float(bottom.max(initial=0.0))))
    above.set_ylim(bottom=0, top=max(1.0, totals.max(initial=0.0) * 1.05))
    below.set_ylim(bottom=0, top=max(0.01, float(bottom.max(initial=0.0)) * 1.1))
    _time(below, period)
    return svg(figure, label=label)


def precisions(rows: Sequence[Precision], names: Mapping[str, str], *, label: str) -> str:
    """A dot and its interval for each threshold that anybody's decision speaks of. `names`: categories, translated."""
    told = [row for row in rows if row.held.of]
    figure = _figure(380, 34 + 19 * max(1, len(told)))
    axes = figure.add_subplot()
    height = figure.get_figheight() * _POINTS
    figure.subplots_adjust(left=0.26, right=0.96, top=1 - 4 / height, bottom=24 / height)
    for place, row in enumerate(told):
        ink, held = INK[row.decision], row.held
        axes.plot((held.low, held.high), (place, place), color=ink, linewidth=2.0, solid_capstyle="round", alpha=0.45)
        axes.plot((held.share,), (place,), marker="o", markersize=5.5, color=ink, markeredgewidth=0)
    _plain(axes, grid="x")
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(max(1, len(told)) - 0.4, -0.6)
    axes.set_xticks((0.0, 0.25, 0.5, 0.75, 1.0), ("0 %", "25 %", "50 %", "75 %", "100 %"))
    firsts = [place for place, row in enumerate(told) if place == 0 or told[place - 1].category is not row.category]
    axes.set_yticks(firsts, [told[place].category.value for place in firsts])
    return svg(figure, label=label, words=names)


def quantiles(
    period: Period, values: NDArray[np.float64], levels: Sequence[tuple[Decision, float]], *, label: str
) -> str:
    """Scores over time, one line for each column of `values`; `levels` are the thresholds."""
    figure = _figure(220, 92)
    axes = figure.add_subplot()
    figure.subplots_adjust(left=0.115, right=0.985, top=0.95, bottom=0.19)
    places = np.arange(len(values))
    for decision, threshold in levels:
        axes.axhline(threshold, color=INK[decision], linewidth=0.9, dashes=(3, 2.5))
    widths = np.linspace(0.9, 1.7, values.shape[1])
    for column, width in enumerate(widths):
        line = values[:, column]
        dot = "o" if np.isfinite(line).sum() == 1 else ""  # a line of one point is none
        axes.plot(places, line, color=Ink.TEXT, linewidth=width, alpha=0.4 + 0.3 * column, marker=dot, markersize=2.5)
    _plain(axes)
    axes.set_ylim(0.0, 1.02)
    axes.set_yticks((0.0, 0.5, 1.0), ("0", ".5", "1"))
    _time(axes, period, labels=3)
    return svg(figure, label=label)


def _figure(width: float, height: float) -> Figure:
    """Without pyplot: nothing of it is kept."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width / _POINTS, height / _POINTS))


def _plain(axes: Axes, *, grid: str = "y") -> None:
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(side == "bottom" and grid == "y")
    axes.spines["bottom"].set(color=Ink.LINE, linewidth=0.8)
    axes.tick_params(length=0, pad=4, labelsize=_SIZE, labelcolor=Ink.TEXT)
    axes.grid(axis="x" if grid == "x" else "y", color=Ink.LINE, linewidth=0.6)
    axes.set_axisbelow(True)


def _whole_numbers(axes: Axes, most: int) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(most, integer=False))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))


def _short(value: float) -> str:
    """1500 as 1.5k."""
    for factor, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= factor:
            return f"{value / factor:g}{letter}"
    return f"{value:g}"


def _percent(highest: float) -> object:
    from matplotlib.ticker import PercentFormatter

    return PercentFormatter(1.0, decimals=0 if highest >= 0.03 else 1, symbol=" %")


def _time(axes: Axes, period: Period, *, labels: int = _LABELS) -> None:
    """A few days, or hours, under the middle of their bars."""
    count = len(period.edges) - 1
    step = max(1, math.ceil(count / labels))
    places = list(range(count - 1, -1, -step))[::-1]
    form = "%H:%M" if period.days == 1 else "%m-%d"
    axes.set_xlim(-0.7, count - 0.3)
    axes.set_xticks(places, [f"{datetime.fromtimestamp(period.edges[place], UTC):{form}}" for place in places])
