"""Every metric that gatepost tells, as the table of docs/metrics.md. `python -m tests.metrics_table` writes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from gatepost_client.tickets.counting import counted
from gatepost_server.gateway.metrics import Metrics

PAGE = Path(__file__).parents[1] / "docs" / "metrics.md"
BEGIN, END = "<!-- table: python -m tests.metrics_table -->\n", "<!-- end of table -->\n"


@dataclass(frozen=True)
class Told:
    """One metric. `name` is as Prometheus has it: a counter's ends with _total."""

    name: str
    type: str
    unit: str
    labels: tuple[str, ...]
    help: str

    @property
    def measured_in(self) -> str:
        """For people. A gauge without a unit says yes or no."""
        return self.unit or {"counter": "count", "gauge": "0 or 1"}.get(self.type, "")

    @property
    def series(self) -> set[str]:
        """The names that queries may use."""
        if self.type == "histogram":
            return {f"{self.name}_{part}" for part in ("bucket", "sum", "count")}
        return {self.name}


def all_metrics() -> list[Told]:
    """The gateway's and those of whoever checks tickets, by name."""
    tickets = CollectorRegistry()
    counted(tickets)
    return sorted([*_told(Metrics()._registry), *_told(tickets)], key=lambda each: each.name)


def table() -> str:
    """In Markdown."""
    rows = ["| metric | kind | unit | labels | what it says |", "|---|---|---|---|---|"]
    rows += [
        f"| `{each.name}` | {each.type} | {each.measured_in} | {', '.join(f'`{label}`' for label in each.labels)} | {each.help} |"
        for each in all_metrics()
    ]
    return "\n".join(rows) + "\n"


def _told(registry: CollectorRegistry) -> Iterator[Told]:
    for collector in registry._collector_to_names:
        if isinstance(collector, MetricWrapperBase):  # not those of the process
            (family,) = collector.describe()
            name = family.name + {"counter": "_total", "info": "_info"}.get(family.type, "")
            yield Told(name, family.type, family.unit, tuple(collector._labelnames), family.documentation)


def page(text: str) -> str:
    """`text` with the table of now."""
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
