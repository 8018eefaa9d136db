"""Writes report.html."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import jinja2
import numpy as np
from numpy.typing import NDArray

from gatepost_server.rescan.job import Destination
from gatepost_server.rescan.plan import planned
from gatepost_server.rescan.reading import fetch
from gatepost_server.rescan.report.gather import BINS, Gathered, Offender, gather
from gatepost_server.rescan.report.thumbnails import thumbnail
from gatepost_server.rescan.run import Summary
from gatepost_server.rescan.sink import read_shard
from gatepost_server.rescan.stores.base import Address

_WORST = 24
_MOST = 20 << 20  # bytes of an image
_HEIGHT = 40.0  # of a histogram, in its own units


@dataclass(frozen=True, slots=True)
class Card:
    """One of the worst, as the page shows it."""

    uri: str
    decision: str
    why: str
    picture: str | None


def write_report(out: Address, summary: Summary, *, revealed: bool = False) -> None:
    """report.html in DEST: counts, histograms, the worst as pictures (blurred unless `revealed`), errors.

    Raises SourceError, CredentialsError, RescanError.
    """
    destination = Destination(out)
    job = destination.job()
    found = gather(destination, list(destination.done().values()), worst=_WORST)
    page = render(
        summary,
        found,
        [_card(destination, each, job.shard_size, revealed=revealed) for each in found.worst] if job else [],
        source=job.asked.source if job else "",
        revealed=revealed,
    )
    destination.write("report.html", page.encode())


def render(summary: Summary, found: Gathered, cards: list[Card], *, source: str, revealed: bool) -> str:
    """The page. Everything that comes from images, names and manifests is escaped."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    template = environment.from_string((files(__package__) / "page.html").read_text())
    histograms: Mapping[str, Any] = {
        category.value: _histogram(counts) for category, counts in found.histograms.items()
    }
    return template.render(
        summary=summary, found=found, histograms=histograms, cards=cards, source=source, revealed=revealed
    )


def _histogram(counts: NDArray[np.int64]) -> dict[str, Any]:
    """Bars on a logarithmic scale: a few bad ones among millions must be seen."""
    tall = np.log1p(counts) / max(float(np.log1p(counts.max())), 1e-9) * _HEIGHT
    return {
        "bars": [
            {"x": place, "y": _HEIGHT - float(high), "height": float(high), "count": int(count), "from": place / BINS}
            for place, (high, count) in enumerate(zip(tall, counts, strict=True))
        ],
        "above": int(counts[BINS // 2 :].sum()),
    }


def _card(destination: Destination, each: Offender, shard_size: int, *, revealed: bool) -> Card:
    shard, place = divmod(each.number, shard_size)
    columns = ["uri", "decision", "reasons", "policy", "evidence"]
    row = read_shard(destination, shard, columns).slice(place, 1).to_pylist()[0]
    image = fetch(planned(destination, shard)[place], _MOST)
    why = ", ".join(
        f"{reason['category'] or reason['detail']} {'' if reason['score'] is None else format(reason['score'], '.2f')}"
        for reason in (row["reasons"] or ())[:3]
    )
    picture = thumbnail(image, row, revealed=revealed) if isinstance(image, bytes) else None
    return Card(row["uri"], row["decision"], why, picture)
