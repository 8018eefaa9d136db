"""gatepostd capacity: how many machines so many images a day take, from measured figures, with the arithmetic shown.

Figures come from measurement files (out/bench/*.json), else from those committed in capacity_figures.json, each with
its command and date. What was never measured is not made up: the rate of a GPU is the operator's, or a target that is
named as one.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

COMMITTED = Path(__file__).with_name("capacity_figures.json")
DAY_S = 86_400
GPU_TARGET = 1_000.0  # images/s of one H100 with 16 cores: the target that the project set itself
WORTH_S = 2.0  # images inside at peak, as seconds of the peak: what callers may wait

HOST, HOST_MEMORY = "host_images_per_second", "host_memory_gb"
GATEWAY_CPU, GATEWAY_MEMORY = "gateway_cpu_us", "gateway_memory_mib"
# The rows of measurement files that say them; of several, the first that is there.
ROWS: Mapping[str, Sequence[str]] = {
    HOST: ("gatepost, served: images a second", "served images a second"),
    HOST_MEMORY: ("memory of the whole tree (PSS)",),
    GATEWAY_CPU: ("gateway, 16 at a time: processor", "processor p50, with everything"),
    GATEWAY_MEMORY: ("the gateway alone, a stream of 10,000 images: memory at the end (PSS)",),
}


class FiguresError(ValueError):
    """A file that holds no figures which this command knows."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value and where it is from."""

    value: float
    unit: str
    command: str
    measured: str  # date
    machine: str

    def __str__(self) -> str:
        return f"{_shown(self.value)} {self.unit} ({self.command}, {self.measured}, {self.machine})"


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked for. `busy` is how full machines may be at peak; `image_bytes` an image's mean size."""

    images_per_day: float
    peak_factor: float
    busy: float = 0.7
    spare: int = 1
    image_bytes: float = 200_000.0

    @property
    def mean(self) -> float:
        """Images a second over a day."""
        return self.images_per_day / DAY_S

    @property
    def peak(self) -> float:
        """Images a second at the worst moment."""
        return self.mean * self.peak_factor


def committed() -> dict[str, Figure]:
    """The figures that came with this version, by name."""
    return {name: Figure(**each) for name, each in json.loads(COMMITTED.read_text(encoding="utf-8")).items()}


def keep(files: Sequence[Path], committed_file: Path = COMMITTED) -> None:
    """Commit what the measurement files hold, later ones over earlier ones, over what was committed before."""
    figures = committed()
    for file in files:
        with contextlib.suppress(FiguresError):  # a run of some parts only, perhaps of none that matters here
            figures |= measured(file)
    document = {name: asdict(figure) for name, figure in figures.items()}
    committed_file.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def measured(file: Path) -> dict[str, Figure]:
    """The figures that a measurement file holds. Raises FiguresError, OSError."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        by_name = {row["name"]: row for row in document["targets"]}
        machine = f"{document['machine']['cpu']}, {document['machine']['cores']} hardware threads"
        date = str(document.get("measured") or document["written"])[:10]
    except (ValueError, KeyError, TypeError) as error:
        raise FiguresError(f"{file} is no measurement file: {error!r}") from None
    found = {
        name: _figure(by_name[row], date, machine)
        for name, rows in ROWS.items()
        if (row := next((row for row in rows if row in by_name), None)) is not None
    }
    if not found:
        raise FiguresError(f"{file} has none of the rows {', '.join(row for rows in ROWS.values() for row in rows)}")
    return found


def told(demand: Demand, figures: Mapping[str, Figure], gpu: float | None) -> Iterator[str]:
    """The plan, line by line. `gpu`: images a second of one, measured by the operator; None: the target stands in."""
    peak = demand.peak
    yield f"{_shown(demand.images_per_day)} images a day / {DAY_S:,} s = {_shown(demand.mean)} images/s on average"
    yield f"{_shown(demand.mean)} x {_shown(demand.peak_factor)} (peak factor) = {_shown(peak)} images/s at peak"
    yield f"Machines may be {demand.busy:.0%} busy at peak; {demand.spare} more of each stand by."
    yield ""
    if gpu is None:
        yield f"GPUs: ASSUMED, gatepost was never measured on one: {_shown(GPU_TARGET)} images/s is a target."
        yield "  Measure yours (benchmarks/gpu) and say --images-per-second."
    else:
        yield f"GPUs: {_shown(gpu)} images/s each, as given by --images-per-second."
    yield f"  {machines(demand, gpu or GPU_TARGET)} GPUs"
    yield ""
    host = figures[HOST]
    yield f"Or hosts without GPUs: {host}."
    hosts = number_of(demand, host.value)
    yield f"  {machines(demand, host.value)} hosts"
    memory = figures[HOST_MEMORY]
    yield f"  memory, a host: {memory}; all: {hosts:,} x {_shown(memory.value)} = {_shown(hosts * memory.value)} GB"
    yield ""
    cpu = figures[GATEWAY_CPU]
    yield f"Gateways: {cpu} of processor an image, one core each."
    rate = 1e6 / cpu.value
    yield f"  1,000,000 / {_shown(cpu.value)} = {_shown(rate)} images/s each"
    gateways = number_of(demand, rate)
    yield f"  {machines(demand, rate)} gateways"
    each = figures[GATEWAY_MEMORY]
    inside = peak * WORTH_S * demand.image_bytes / 2**20
    yield (
        f"  memory: {gateways:,} x {each}, and {_shown(WORTH_S)} s of images inside:"
        f" {_shown(peak)} x {_shown(WORTH_S)} x {_shown(demand.image_bytes)} bytes = {_shown(inside)} MiB;"
        f" all: {_shown((gateways * each.value + inside) / 1024)} GiB"
    )
    bits = 8 * peak * demand.image_bytes / 1e9
    yield f"  network: {_shown(peak)} x {_shown(demand.image_bytes)} bytes x 8 = {_shown(bits)} Gbit/s in"
    yield ""
    yield (
        "Not measured: GPUs and the memory of a GPU host; more than one host; how a host's rate grows with its cores"
        " (a host here is the machine that was measured)."
    )


def number_of(demand: Demand, rate: float) -> int:
    """How many machines of `rate` images a second carry the peak, with those that stand by."""
    return math.ceil(demand.peak / (rate * demand.busy)) + demand.spare


def machines(demand: Demand, rate: float) -> str:
    """`number_of`, as it is worked out."""
    count = number_of(demand, rate)
    carried = f"{_shown(demand.peak)} / ({_shown(rate)} x {demand.busy:g})"
    return f"{carried} = {count - demand.spare:,}, and {demand.spare} = {count:,}"


def capacity(
    images_per_day: Annotated[float, typer.Option(min=1.0, help="How many images a day, e.g. 50e6.")],
    peak_factor: Annotated[float, typer.Option(min=1.0, help="The worst second beside the mean one.")] = 30.0,
    images_per_second: Annotated[
        float | None, typer.Option(min=0.001, help="What one GPU of yours judges.", show_default="a target")
    ] = None,
    measured_files: Annotated[
        list[Path] | None,
        typer.Option("--measured", dir_okay=False, exists=True, help="out/bench/*.json of your machine; repeatable."),
    ] = None,
    busy: Annotated[float, typer.Option(min=0.05, max=1.0, help="How full machines may be at peak.")] = 0.7,
    spare: Annotated[int, typer.Option(min=0, help="Machines of each kind that stand by.")] = 1,
    image_bytes: Annotated[float, typer.Option(min=1.0, help="Mean size of an image's file.")] = 200_000.0,
) -> None:
    """GPUs or hosts, gateways and memory for so many images a day, from measured figures."""
    figures = committed()
    try:
        for file in measured_files or ():
            figures |= measured(file)
    except (FiguresError, OSError) as error:
        typer.echo(f"gatepostd: {error}", err=True)
        raise typer.Exit(1) from None
    demand = Demand(images_per_day, peak_factor, busy, spare, image_bytes)
    for line in told(demand, figures, images_per_second):
        typer.echo(line)


def _figure(row: Mapping[str, Any], date: str, machine: str) -> Figure:
    return Figure(float(row["value"]), row["unit"], row["command"], date, machine)


def _shown(value: float) -> str:
    """Three figures that count, and no more."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
