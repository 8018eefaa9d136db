"""How long the stages worked on an image: their branches run side by side."""

from __future__ import annotations

from collections.abc import Iterable

from gatepost_server.domain.evidence import StageReport


def working_s(reports: Iterable[StageReport]) -> float:
    """Seconds in which at least one stage worked: the length of the union of their spans."""
    covered, until = 0.0, float("-inf")
    for started, ended in sorted((report.started, report.ended) for report in reports):
        covered += max(0.0, ended - max(started, until))
        until = max(until, ended)
    return covered
