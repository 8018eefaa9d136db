"""Judged cards become figures, targets, tables, pictures and a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.evaluate import figures, full
from benchmarks.evaluate.case import Case, Suite, right
from benchmarks.evaluate.report import goals, page, plots, tables
from benchmarks.targets import at_least

PAGE = Path(__file__).parents[3] / "docs" / "quality.md"


def row(suite: Suite, number: int, score: float, category: str = "", **more: Any) -> dict[str, Any]:
    decision = "BLOCK" if score >= 0.8 else "REVIEW" if score >= 0.5 else "ALLOW"
    found = category or "insult"
    reasons = [] if decision == "ALLOW" else [{"category": found, "code": "SCORE", "source": "line:0", "detail": ""}]
    return {
        "key": f"{suite}{number}", "suite": suite.value, "language": ("zh", "en")[number % 2], "category": category,
        "style": ("plain", "wave")[number % 3 == 0], "picture": "", "evasion": "", "decision": decision,
        "reasons": reasons, "scores": {found: score, "off_script": 0.0}, "text_scores": {found: score},
        "image_scores": {}, "prompt_similarity": None, "lines": ["x"], "read": [["x", 1.0]],
    } | more  # fmt: skip


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    """A hundred cards of plain abuse of which two are missed, kind ones of which one is held back, and some of each."""
    return [
        *(row(Suite.PLAIN_ABUSE, n, 0.1 if n < 2 else 0.9, "insult") for n in range(100)),
        *(row(Suite.EVADED_ABUSE, n, 0.3 if n < 10 else 0.9, "insult", evasion="spaced") for n in range(20)),
        *(row(Suite.ORDINARY, n, 0.6 if n < 1 else n / 5_000) for n in range(400)),
        *(row(Suite.TRICKY, n, 0.9 if n < 1 else 0.01, prompt_similarity=0.5) for n in range(40)),
        *(row(Suite.UNEXPECTED, n, 0.0, scores={"off_script": 0.9}) for n in range(30)),
        *(row(Suite.AS_ASKED, n, 0.0, scores={"off_script": 0.6 if n < 3 else 0.0}) for n in range(30)),
        *(
            row(Suite.CRUEL_PICTURE, n, 0.7, picture="weapons", scores={"weapons": 0.7}, image_scores={"weapons": 0.4})
            | {"prompt_similarity": 0.1}
            for n in range(20)
        ),
    ]


@pytest.fixture
def quality(rows: list[dict[str, Any]]) -> dict[str, Any]:
    kind_of_dev = [row(Suite.ORDINARY, n, n / 1_000) for n in range(200)]
    return json.loads(json.dumps(full.of_cards(rows, kind_of_dev)))


def test_plain_abuse_is_told_by_language_and_style(quality: dict[str, Any]) -> None:
    part = quality["plain_abuse"]
    assert (part["all"]["not_allowed"]["hits"], part["all"]["not_allowed"]["n"]) == (98, 100)
    assert part["by_language"]["zh"]["not_allowed"]["value"] == pytest.approx(98.0)
    assert part["by_style"]["wave"]["not_allowed"]["n"] == 34


def test_kind_cards_say_what_held_them_back(quality: dict[str, Any]) -> None:
    part = quality["kind_ordinary"]
    assert part["all"]["not_allowed"]["value"] == pytest.approx(0.25)
    assert part["all"]["blocked"]["hits"] == 0
    assert part["why"] == {"insult": 1}


def test_the_evasion_cards_threshold_comes_from_other_kind_cards(quality: dict[str, Any]) -> None:
    part = quality["evasions"]
    assert 0.197 < part["threshold"] <= 0.198  # two of the 200 dev cards, 1 %, reach it
    assert part["by_evasion"]["spaced"]["at_1_percent"]["hits"] == 20  # all, for the missed ones score 0.3
    assert part["by_evasion"]["spaced"]["not_allowed"]["hits"] == 10


def test_words_and_picture_together_are_held_against_either_alone(quality: dict[str, Any]) -> None:
    part = quality["pairing"]["kind_words_cruel_picture"]
    assert part["picture alone"]["held"]["hits"] == 0
    assert part["together"]["held"]["hits"] == 20
    assert part["picture unlike the prompt"]["auc"]["value"] == 100


def test_off_script_is_found_and_falsely_found(quality: dict[str, Any]) -> None:
    assert quality["off_script"]["found"]["all"]["value"] == 100
    assert quality["off_script"]["false_alarms"]["all"]["hits"] == 3


def test_a_card_is_right_by_what_its_suite_asks_for(rows: list[dict[str, Any]]) -> None:
    unexpected = next(one for one in rows if one["suite"] == Suite.UNEXPECTED)
    assert right(unexpected)
    assert right({**unexpected, "suite": "as_asked"}) is False
    assert right({**unexpected, "suite": "kind_ordinary", "decision": "ALLOW"})
    assert right({**unexpected, "suite": "plain_abuse", "decision": "HOLD"}) is False


def test_targets_are_met_and_missed_with_their_intervals(quality: dict[str, Any]) -> None:
    by_name = {target.name: target for target in goals.goals(quality)}
    missed = by_name["plain abuse, zh, not allowed"]
    assert missed.met is False
    assert missed.low is not None
    assert missed.low < missed.value == 98.0
    assert by_name["plain abuse, wave, not allowed"].target == ">= 90"
    assert by_name["plain abuse, plain, not allowed"].target == ">= 97"
    assert by_name["ordinary kind cards held back"].met is True
    assert by_name["tricky kind cards blocked"].met is False
    assert by_name["false alarms on text as asked"].met is False


def test_every_block_of_the_page_has_its_place_and_unmeasured_parts_say_so(quality: dict[str, Any]) -> None:
    made = tables.blocks({**quality, "targets": [vars_of(at_least("a", 1.0, 2.0, "%", "c", low=0.5, high=1.5))]})
    written = page.filled(PAGE.read_text(encoding="utf-8"), made)
    assert "| a | 1 % | 0.5 to 1.5 | >= 2 | **no** |" in written
    assert "Not measured in this run (images)." in written
    assert "| spaced | 20 |" in written
    assert page.filled(written, made) == written


def test_a_block_without_a_place_is_a_mistake() -> None:
    with pytest.raises(KeyError, match="nowhere"):
        page.filled("text", {"nowhere": "x"})


def test_pictures_are_small_and_the_same_each_time(quality: dict[str, Any], tmp_path: Path) -> None:
    first = {path.name: path.read_bytes() for path in plots.draw(quality, tmp_path / "a")}
    again = {path.name: path.read_bytes() for path in plots.draw(quality, tmp_path / "b")}
    assert set(first) == {"quality-roc.svg", "quality-reliability.svg", "quality-evasions.svg"}
    assert first == again
    assert all(len(data) < 200_000 for data in first.values())


def test_figures_of_nothing_are_empty_not_wrong() -> None:
    assert figures.caught([], "style") == {}
    assert figures.evasions([], [], [], []) == {}


def test_a_cards_key_changes_with_what_is_drawn_or_asked() -> None:
    card = Case(Suite.ORDINARY, 1_000_000, ("福",), "zh", "plain", 640)
    assert card.key == Case(Suite.ORDINARY, 1_000_000, ("福",), "zh", "plain", 640).key
    assert card.key != Case(Suite.ORDINARY, 1_000_000, ("福",), "zh", "plain", 768).key
    assert card.key != Case(Suite.ORDINARY, 1_000_000, ("福",), "zh", "plain", 640, asked=("福",)).key


def vars_of(target: Any) -> dict[str, Any]:
    return {name: getattr(target, name) for name in target.__slots__}
