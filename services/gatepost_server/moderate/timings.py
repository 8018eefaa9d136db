"""Where one request's time went."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gatepost_server.domain.evidence import StageReport


def timings_ms(reports: Sequence[StageReport], *, scoring_s: float, total_s: float) -> Mapping[str, float]:
    """Milliseconds by part: every stage, "queue", "gateway" and "total".

    "queue" is the time inside the scorer's call in which no stage worked on the image, so it holds transport
    too. Only differences of the stages' clocks are used: they may be another host's.
    """
    spans = [(report.started, report.ended) for report in reports]
    parts = {report.stage.value: _ms(report.ended - report.started) for report in reports}
    return {
        **parts,
        "queue": _ms(max(0.0, scoring_s - _covered(spans))),
        "gateway": _ms(max(0.0, total_s - scoring_s)),
        "total": _ms(total_s),
    }


def _covered(spans: Iterable[tuple[float, float]]) -> float:
    """Length of the union of spans: branches of the ensemble run side by side."""
    covered, until = 0.0, float("-inf")
    for started, ended in sorted(spans):
        covered += max(0.0, ended - max(started, until))
        until = max(until, ended)
    return covered


def _ms(seconds: float) -> float:
    return round(seconds * 1_000.0, 3)
