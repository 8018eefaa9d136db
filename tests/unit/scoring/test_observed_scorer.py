"""Stages are put where they were in time, as far as their clock tells."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from gatepost_server.domain.evidence import StageReport
from gatepost_server.domain.labels import StageName
from gatepost_server.scoring.fake import FakeScorer
from gatepost_server.scoring.observed import ObservedScorer, shift
from tests.builders import request


def reports(*spans: tuple[float, float]) -> list[StageReport]:
    return [StageReport(StageName.DECODE, started, ended) for started, ended in spans]


def test_stages_of_this_host_stay_where_they_were():
    assert shift(reports((10.1, 10.2), (10.2, 10.9)), 10.0, 11.0) == (0.0, True)


@pytest.mark.parametrize("ahead", [-5_000.0, -0.5, 0.5, 5_000.0])
def test_stages_of_another_host_are_put_into_the_middle_of_the_call(ahead):
    offset, shared = shift(reports((10.2 + ahead, 10.4 + ahead), (10.4 + ahead, 10.8 + ahead)), 10.0, 11.0)
    assert not shared
    assert 10.2 + ahead + offset == pytest.approx(10.2)
    assert 10.8 + ahead + offset == pytest.approx(10.8)


async def test_stages_are_children_of_the_call_and_are_told_with_its_length():
    spans, told = InMemorySpanExporter(), []
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    scorer = ObservedScorer(FakeScorer(), provider.get_tracer("test"), lambda *call: told.append(call))
    evidence = await scorer.score(request(), timeout_s=10.0)
    ((seen, seconds),) = told
    assert seen == evidence.reports
    assert seconds >= max(report.ended for report in seen) - min(report.started for report in seen)
    *stages, call = spans.get_finished_spans()
    assert call.name == "models"
    assert {stage.parent.span_id for stage in stages} == {call.context.span_id}
    lengths = {stage.name: (stage.end_time - stage.start_time) / 1e9 for stage in stages}
    for report in evidence.reports:
        assert lengths[report.stage.value] == pytest.approx(report.ended - report.started, abs=1e-6)
