"""Times of stages that ran side by side are not counted twice."""

from __future__ import annotations

from gatepost_server.domain.evidence import StageReport
from gatepost_server.domain.labels import StageName
from gatepost_server.moderate.timings import timings_ms


def test_queue_is_the_scorers_time_in_which_no_stage_worked():
    reports = (
        StageReport(StageName.DECODE, 100.00, 100.01),
        StageReport(StageName.OCR_DETECT, 100.02, 100.05),
        StageReport(StageName.CLIP, 100.03, 100.06),  # beside ocr_detect
    )
    timings = timings_ms(reports, scoring_s=0.08, total_s=0.1)
    assert timings == {"decode": 10.0, "ocr_detect": 30.0, "clip": 30.0, "queue": 30.0, "gateway": 20.0, "total": 100.0}


def test_without_reports_everything_is_queue():
    assert timings_ms((), scoring_s=0.5, total_s=0.5) == {"queue": 500.0, "gateway": 0.0, "total": 500.0}
