"""Every alert has its section in docs/runbook.md, and says so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ALERTS = [
    rule
    for group in yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
]
SECTIONS = {
    heading.lower().replace(" ", "-"): text
    for heading, text in re.findall(
        r"^## (.+?)\n(.*?)(?=^## |\Z)", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE | re.DOTALL
    )
}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_leads_to_a_section_that_says_what_it_means_and_what_to_do(alert: dict) -> None:
    page, _, anchor = alert["annotations"]["runbook_url"].partition("#")
    assert page == "docs/runbook.md"
    section = SECTIONS[anchor]
    assert section.strip().startswith("*Means*: ")
    assert re.search(r"^1\. |^\| ", section, re.MULTILINE)


def test_no_section_is_of_an_alert_that_is_gone() -> None:
    led_to = {alert["annotations"]["runbook_url"].partition("#")[2] for alert in ALERTS}
    assert {name for name, text in SECTIONS.items() if "*Means*" in text} == led_to
