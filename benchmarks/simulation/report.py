"""What was simulated, and what `gatepostd capacity` says, as tables and a picture in docs/scaling.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from benchmarks.evaluate.report.page import filled
from benchmarks.simulation.study import IMAGES_A_DAY, PEAK
from benchmarks.throughput.plots import IMAGES, save
from gatepost_server.cli import capacity

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"
PICTURE = "scaling-burst.svg"

Told = Mapping[str, Any]


def write(part: Told | None, page: Path = PAGE, images: Path = IMAGES) -> None:
    """Fill the page; without a simulation its tables say so."""
    if part is not None:
        save(_burst, part, images / PICTURE)
    page.write_text(filled(page.read_text(encoding="utf-8"), blocks(part)), encoding="utf-8")


def blocks(part: Told | None) -> dict[str, str]:
    """Every measured block of the page by its name."""
    plan = capacity.told(capacity.Demand(IMAGES_A_DAY, PEAK), capacity.committed(), None)
    made = {"capacity": "\n".join(["```", *plan, "```"])}
    if part is None:
        return made | dict.fromkeys(("how", "checks", "fleets", "balancers", "limits"), "Not simulated yet.")
    balancers, limits = part["balancers"]["by_name"], part["limits"]["by_images"]
    return made | {
        "how": _how(part),
        "checks": _table(
            ("callers", "p50 simulated", "measured", "off", "p99 simulated", "measured", "off"),
            [(callers, *_check(of)) for callers, of in part["checks"].items()],
        ),
        "fleets": f"![Waits and losses in the burst by number of replicas](images/{PICTURE})\n\n"
        + _table(
            ("replicas", "of what the peak fills", *_COLUMNS, "p99 before and after"),
            [
                (f"{of['replicas']:,}", f"{of['size']:g}", *_outcome(of), f"{of['calm_p99_s']:.2f} s")
                for of in part["fleets"]
            ],
        ),
        "balancers": _table(("balancer", *_COLUMNS), [(name, *_outcome(of)) for name, of in balancers.items()]),
        "limits": _table(
            ("max_images_in_flight", *_COLUMNS), [(str(most), *_outcome(of)) for most, of in limits.items()]
        ),
    }


_COLUMNS = ("p50 in the burst", "p99 in the burst", "held for want of time", "refused after retries")


def _outcome(of: Told) -> Sequence[str]:
    return f"{of['p50_s']:.2f} s", f"{of['p99_s']:.2f} s", f"{of['held']:.1f} %", f"{of['refused']:.1f} %"


def _check(of: Told) -> Sequence[str]:
    return [
        cell
        for q in ("p50", "p99")
        for cell in (f"{of[q] / 1_000:.2f} s", f"{of[f'{q}_measured'] / 1_000:.2f} s", f"{of[f'{q}_off']:.0f} %")
    ]


def _how(part: Told) -> str:
    return (
        f"{part['mean_per_s']:,.0f} images a second on average, {part['peak_per_s']:,.0f} for {part['burst_s']:.0f} s;"
        f" a replica judges {part['rate_per_replica']:.2f} a second (`make bench PART=latency`,"
        f" {part['drawn_from'][:10]}), so that the peak just fills"
        f" {part['peak_per_s'] / part['rate_per_replica']:,.0f} of them."
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _burst(part: Told) -> Figure:
    figure, (waits, lost) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
    replicas = [of["replicas"] for of in part["fleets"]]
    for name in ("p50_s", "p99_s"):
        waits.plot(replicas, [of[name] for of in part["fleets"]], marker="o", markersize=4, label=name[:3])
    waits.set(xlabel="replicas", ylabel="wait in the burst, s (judged images)", ylim=(0, None))
    waits.legend()
    for name, label in (("held", "held for want of time"), ("refused", "refused after retries")):
        lost.plot(replicas, [of[name] for of in part["fleets"]], marker="o", markersize=4, label=label)
    lost.set(xlabel="replicas", ylabel="% of the burst", ylim=(0, 100))
    lost.legend(fontsize=8)
    for axes in (waits, lost):
        axes.axvline(part["peak_per_s"] / part["rate_per_replica"], color="0.6", linewidth=0.8, linestyle=":")
    return figure
