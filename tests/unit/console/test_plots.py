"""Plots as pieces of a page."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from gatepost_server.console.insights import plots
from gatepost_server.console.insights.period import Period
from gatepost_server.console.insights.precision import Precision
from gatepost_server.domain.labels import Category, Decision
from gatepost_server.policy.comparison import rate

WEEK = Period.last(7, 1_800_000_000.0)
COUNTS = [{Decision.ALLOW: 90, Decision.REVIEW: 6, Decision.BLOCK: 3, Decision.HOLD: 1}] * 6 + [{}]


def drawn() -> dict[str, str]:
    """One of each kind."""
    rows = [
        Precision(Category.INSULT, Decision.REVIEW, 0.5, rate(8, 10), 0),
        Precision(Category.INSULT, Decision.BLOCK, 0.9, rate(3, 3), 0),
        Precision(Category.SPAM, Decision.REVIEW, 0.5, rate(0, 0), 0),
    ]
    values = np.linspace(0.1, 0.9, 21).reshape(7, 3)
    values[2] = np.nan
    return {
        "decisions": plots.decisions(WEEK, COUNTS, label="Decisions & more"),
        "precisions": plots.precisions(rows, {"insult": "侮辱"}, label="Precision"),
        "quantiles": plots.quantiles(WEEK, values, ((Decision.REVIEW, 0.5),), label="Scores"),
    }


@pytest.fixture(scope="module")
def pieces():
    return drawn()


@pytest.mark.parametrize("kind", ["decisions", "precisions", "quantiles"])
def test_nothing_in_a_plot_is_what_the_pages_csp_forbids(pieces, kind):
    root = ElementTree.fromstring(pieces[kind])
    tags = {node.tag.rpartition("}")[2] for node in root.iter()}
    assert tags <= {"svg", "g", "defs", "path", "use", "text"}
    assert not [node for node in root.iter() if any(name == "style" or name.startswith("on") for name in node.attrib)]


def test_a_plot_has_a_name_that_is_read_out(pieces):
    root = ElementTree.fromstring(pieces["decisions"])
    assert (root.get("role"), root.get("aria-label")) == ("img", "Decisions & more")


def test_names_within_a_page_are_those_that_something_leads_to(pieces):
    for text in pieces.values():
        names, links = set(re.findall(r' id="([^"]+)"', text)), set(re.findall(r' href="#([^"]+)"', text))
        assert names == links


def test_colours_are_classes_of_the_style_sheet(pieces):
    text = "".join(pieces.values())
    assert not re.findall(r"#0[0-9a-f]0000", text)
    assert {"fill-block", "fill-review", "fill-faint", "stroke-line"} <= set(
        re.findall(r"(?:fill|stroke)-[a-z]+", text)
    )


def test_bars_are_as_many_as_there_are_decisions(pieces):
    root = ElementTree.fromstring(pieces["decisions"])
    classes = [node.get("class") for node in root.iter()]
    assert [classes.count(f"fill-{name}") for name in ("block", "review", "hold", "faint")] == [7, 7, 7, 7]


def test_categories_are_named_in_the_readers_language(pieces):
    texts = [node.text for node in ElementTree.fromstring(pieces["precisions"]).iter() if node.tag.endswith("text")]
    assert "侮辱" in texts
    assert "insult" not in texts
    assert "spam" not in texts  # nobody decided anything about it


def test_a_period_without_verdicts_can_be_drawn():
    text = plots.decisions(WEEK, [{}] * 7, label="Nothing")
    assert "nan" not in text.lower()


def test_one_stretch_of_time_is_a_dot():
    values = np.full((7, 3), np.nan)
    values[3] = (0.1, 0.4, 0.8)
    assert plots.quantiles(WEEK, values, (), label="One").count("<use") == 3
