"""The cards of a split: the same each time, each with a seed of its own, every style and evasion among them."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.cards import LOOKS, Split
from benchmarks.evaluate import plan
from benchmarks.evaluate.case import Suite

SPLITS = (Split.DEV, Split.TEST)


@pytest.fixture(autouse=True)
def every_picture_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the pictogram sets are installed."""
    monkeypatch.setattr(plan, "drawn", lambda *_: True)


@pytest.mark.parametrize("split", SPLITS)
def test_every_card_has_a_seed_of_its_split_and_no_other_card_has_it(split: Split) -> None:
    seeds = [case.seed for case in plan.cases(split, plan.FULL)]
    assert len(set(seeds)) == len(seeds)
    assert set(seeds) <= set(split.seeds)


def test_the_same_cards_come_each_time_and_other_ones_in_another_split() -> None:
    first = plan.cases(Split.DEV, plan.QUICK)
    assert plan.cases(Split.DEV, plan.QUICK) == first
    assert not {case.key for case in first} & {case.key for case in plan.cases(Split.TEST, plan.QUICK)}


@pytest.mark.parametrize("split", SPLITS)
def test_plain_abuse_is_written_in_every_style_equally_often_and_in_both_languages(split: Split) -> None:
    cards = plan.cases(split, plan.FULL, Suite.PLAIN_ABUSE)
    assert Counter(case.style for case in cards) == dict.fromkeys(LOOKS, plan.FULL.plain_by_style)
    for style in LOOKS:
        languages = Counter(case.language for case in cards if case.style == style)
        assert min(languages["zh"], languages["en"]) >= plan.FULL.plain_by_style // 2


@pytest.mark.parametrize("split", SPLITS)
def test_each_evasion_has_cards_and_says_what_is_wrong_with_them(split: Split) -> None:
    cards = plan.cases(split, plan.FULL, Suite.EVADED_ABUSE)
    counts = Counter(case.evasion for case in cards)
    assert {"spaced", "homophone", "leet", "upside down", "split over columns"} <= set(counts)
    assert any(name.startswith("written: ") for name in counts)
    assert min(count for name, count in counts.items() if not name.startswith("written")) >= plan.FULL.by_disguise
    assert all(case.category for case in cards)


@pytest.mark.parametrize("split", SPLITS)
def test_kind_cards_have_nothing_wrong_with_them_and_one_to_three_wishes(split: Split) -> None:
    cards = plan.cases(split, plan.FULL, Suite.ORDINARY)
    assert len(cards) == plan.FULL.ordinary >= 3_000
    assert len({case.lines for case in cards}) > 2_000
    assert not any(case.category or case.picture for case in cards)
    assert {len(case.lines) for case in cards} >= {1, 2, 3}


def test_tiny_letters_stand_on_the_largest_cards() -> None:
    cards = plan.cases(Split.DEV, plan.FULL)
    assert {case.side for case in cards if case.style == plan.TINY} == {max(plan.SIDES)}


def test_what_no_set_draws_is_no_harmful_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "drawn", lambda code, _: code != "1F52A")
    cards = plan.cases(Split.DEV, plan.FULL, Suite.CRUEL_PICTURE)
    pictures = {picture for case in cards for picture in case.pictures}
    assert pictures
    assert not {"1F52A", "1F52B"} & pictures


def test_quick_cards_are_few_enough_for_five_minutes() -> None:
    assert len(plan.cases(Split.DEV, plan.QUICK)) <= 500
