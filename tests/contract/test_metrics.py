"""Every metric has a unit, says what it is, stands in docs/metrics.md, and does not grow without end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from gatepost_server.domain.errors import ErrorReason
from gatepost_server.gateway.metrics import Metrics
from gatepost_server.gateway.traffic import OTHERS, TENANTS
from gatepost_server.scoring.base import Priority
from tests import metrics_table
from tests.metrics_table import PAGE, Told, all_metrics
from tests.unit.records.backlog_contract import allowed

UNITS = {"seconds", "bytes", "ratio", "images", "verdicts", "items", "entries"}
# Everything that a label may be. `tenant` is bounded by the gateway; policies are an operator's files, models a repository's.
LABELS = {
    "bank": {"category", "likeness"},
    "fixed": {"code", "decision", "reason", "category", "priority", "stage", "queue", "kind", "outcome", "lookup"},
    "configured": {"policy", "decided", "would", "why", "model", "store", "method"},
    "bounded": {"tenant"},
}
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


@pytest.mark.parametrize("metric", all_metrics(), ids=lambda metric: metric.name)
def test_a_metric_is_named_by_its_unit_and_says_what_it_is(metric: Told) -> None:
    assert metric.name.startswith("gatepost_")
    assert len(metric.help) > 15
    if metric.type == "counter":
        assert metric.name.endswith("_total")
    elif metric.unit:
        assert metric.unit in UNITS
        assert metric.name.endswith(f"_{metric.unit}")
    else:
        assert metric.type == "info" or metric.help.startswith("1 while")
    assert set(metric.labels) <= set().union(*LABELS.values())


def test_the_page_lists_every_metric() -> None:
    text = PAGE.read_text()
    assert text == metrics_table.page(text), "python -m tests.metrics_table writes it anew"


def test_openmetrics_can_be_read_by_its_own_parser_and_plain_text_is_the_default() -> None:
    metrics = Metrics()
    text, content_type = metrics.text(OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text")
    units = {family.name: family.unit for family in text_string_to_metric_families(text.decode())}
    assert units["gatepost_verdict_duration_seconds"] == "seconds"
    assert metrics.text()[1].startswith("text/plain")


def test_a_gateway_has_no_more_series_for_tenants_than_it_can_bear() -> None:
    metrics = Metrics()
    for number in range(3 * TENANTS):
        metrics.traffic.verdict(replace(allowed(), tenant=f"tenant{number}"), Priority.INTERACTIVE)
    metrics.traffic.verdict(replace(allowed(), tenant="tenant0"), Priority.INTERACTIVE)
    told = {
        sample.labels["tenant"]: sample.value
        for family in metrics._registry.collect()
        for sample in family.samples
        if sample.name == "gatepost_verdicts_total"
    }
    assert len(told) == TENANTS + 1
    assert (told[OTHERS], told["tenant0"]) == (2 * TENANTS, 2)


def test_every_reason_for_a_refusal_is_there_from_the_start_so_that_the_first_one_is_seen_as_a_rise() -> None:
    registry = Metrics()._registry
    for reason in ErrorReason:
        for name in ("gatepost_refusals_total", "gatepost_held_total"):
            assert registry.get_sample_value(name, {"reason": reason.value}) == 0.0
