"""Alerts fire when they should, and whatever alerts and dashboard ask for is told by gatepost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.metrics_table import all_metrics
from tests.promtool import run

pytestmark = pytest.mark.integration

DEPLOY = Path(__file__).parents[2] / "deploy"
ALERTS, RECORDING = DEPLOY / "prometheus" / "alerts.yml", DEPLOY / "prometheus" / "recording.yml"
TESTS = sorted((DEPLOY / "prometheus" / "tests").glob("*_test.yml"))
DASHBOARD = DEPLOY / "grafana" / "gatepost.json"
RUNBOOK = DEPLOY.parent / "docs" / "runbook.md"

# Prometheus' own, and those of prometheus_client's ProcessCollector.
OTHERS = {
    "up",
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
}
NAME = re.compile(r"\b(?:gatepost[_:][a-zA-Z0-9_:]+|process_\w+|up(?=\{))")


def rules(file: Path) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


def panels() -> Iterator[tuple[str, str]]:
    """Title and query of everything that the dashboard shows."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


def known() -> set[str]:
    recorded = {rule["record"] for rule in rules(RECORDING)}
    return set().union(*(metric.series for metric in all_metrics()), recorded, OTHERS)


def test_promtool_accepts_the_rules() -> None:
    checked = run("check", "rules", ALERTS, RECORDING)
    assert checked.returncode == 0, checked.stderr


def test_every_alert_fires_and_stays_quiet_as_its_tests_say() -> None:
    tested = run("test", "rules", *TESTS)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_promtool_would_see_an_alert_that_does_not_fire(tmp_path: Path) -> None:
    (tmp_path / RECORDING.name).write_text(RECORDING.read_text())
    (tmp_path / ALERTS.name).write_text(ALERTS.read_text().replace("gatepost_models_trusted == 0", "vector(1) == 0"))
    ours = yaml.safe_load(TESTS[0].read_text())
    ours["rule_files"] = [ALERTS.name, RECORDING.name]
    ours["tests"] = [test for test in ours["tests"] if test["name"] == "GatepostModelsNotTrusted fires"]
    (tmp_path / "tests.yml").write_text(yaml.safe_dump(ours))
    tested = run("test", "rules", tmp_path / "tests.yml")
    assert tested.returncode == 1
    assert "GatepostModelsNotTrusted" in tested.stdout + tested.stderr


def test_every_alert_has_tests_of_both_kinds_and_a_place_in_the_runbook() -> None:
    tests = [test for file in TESTS for test in yaml.safe_load(file.read_text())["tests"]]
    fires = {(case["alertname"], bool(case["exp_alerts"])) for test in tests for case in test["alert_rule_test"]}
    for rule in rules(ALERTS):
        assert {(rule["alert"], True), (rule["alert"], False)} <= fires
        assert rule["labels"]["severity"] in ("page", "ticket")
        page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert page == "docs/runbook.md"
        if RUNBOOK.exists():
            assert anchor in anchors(RUNBOOK.read_text()), f"{rule['alert']}: docs/runbook.md has no {anchor}"


def anchors(text: str) -> set[str]:
    """Those of headings as GitHub makes them, and explicit ones."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    made = {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'<a (?:id|name)="([^"]+)"', text))


@pytest.mark.parametrize("file", [ALERTS, RECORDING], ids=lambda file: file.stem)
def test_rules_ask_for_nothing_that_gatepost_does_not_tell(file: Path) -> None:
    for rule in rules(file):
        asked = set(NAME.findall(rule["expr"]))
        assert asked
        assert asked <= known(), rule["expr"]


def test_the_dashboards_queries_are_promql_and_ask_for_nothing_that_is_not_told(tmp_path: Path) -> None:
    asked = list(panels())
    assert len(asked) > 40
    for title, query in asked:
        names = set(NAME.findall(query))
        assert names, title
        assert names <= known(), (title, query)
    as_rules = [
        {"record": f"panel:{number}", "expr": query.replace("$__rate_interval", "5m").replace("$instance", ".+")}
        for number, (_, query) in enumerate(asked)
    ]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": as_rules}]}))
    checked = run("check", "rules", tmp_path / "panels.yml")
    assert checked.returncode == 0, checked.stderr


def test_the_dashboard_shows_every_metric() -> None:
    recorded = {rule["record"]: set(NAME.findall(rule["expr"])) for rule in rules(RECORDING)}
    shown = {name for _, query in panels() for asked in NAME.findall(query) for name in recorded.get(asked, {asked})}
    hidden = [metric.name for metric in all_metrics() if not metric.series & shown]
    assert hidden == []


def test_panels_stand_beside_each_other_and_have_ids_of_their_own() -> None:
    shown = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in shown}) == len(shown)
    taken: set[tuple[int, int]] = set()
    for panel in shown:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
