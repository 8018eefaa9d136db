"""Where one request's time went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gatepost_server.domain.evidence import StageReport
from gatepost_server.domain.working import working_s


def timings_ms(reports: Sequence[StageReport], *, scoring_s: float, total_s: float) -> Mapping[str, float]:
    """Milliseconds by part: every stage, "queue", "gateway" and "total".

    "queue" is the time inside the scorer's call in which no stage worked on the image, so it holds transport
    too. Only differences of the stages' clocks are used: they may be another host's.
    """
    parts = {report.stage.value: _ms(report.ended - report.started) for report in reports}
    return {
        **parts,
        "queue": _ms(max(0.0, scoring_s - working_s(reports))),
        "gateway": _ms(max(0.0, total_s - scoring_s)),
        "total": _ms(total_s),
    }


def _ms(seconds: float) -> float:
    return round(seconds * 1_000.0, 3)
