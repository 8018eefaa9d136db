"""A real drop fails; chance does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.evaluate import baseline


def outcomes(right: int, wrong: int = 0, suite: str = "implicit_malice") -> dict[str, dict[str, bool]]:
    names = [f"card{number:04}" for number in range(right + wrong)]
    return {suite: {name: number < right for number, name in enumerate(names)}}


def failures(before: baseline.Outcomes, now: baseline.Outcomes) -> dict[str, str]:
    return {one.suite: one.failure for one in baseline.compare(before, now) if one.failure}


def test_the_same_outcomes_pass() -> None:
    assert failures(outcomes(50, 10), outcomes(50, 10)) == {}


def test_a_drop_beyond_chance_fails_and_says_how_many_were_lost() -> None:
    found = failures(outcomes(60), outcomes(50, 10))
    assert "10 cards lost and 0 won" in found["implicit_malice"]


def test_a_few_cards_more_or_less_are_chance() -> None:
    assert failures(outcomes(60), outcomes(57, 3)) == {}


def test_as_many_lost_as_won_is_no_drop() -> None:
    before = {"kind_ordinary": {f"{n}": n < 40 for n in range(80)}}
    now = {"kind_ordinary": {f"{n}": n >= 40 for n in range(80)}}
    assert failures(before, now) == {}


def test_a_getting_better_never_fails() -> None:
    assert failures(outcomes(10, 50), outcomes(60)) == {}


def test_plain_abuse_may_not_lose_more_than_one_in_a_hundred_even_by_chance() -> None:
    before, now = outcomes(200, suite="plain_abuse"), outcomes(197, 3, suite="plain_abuse")
    assert "plain abuse" in failures(before, now)["plain_abuse"]
    assert failures(before, outcomes(198, 2, suite="plain_abuse")) == {}
    assert failures(outcomes(200), outcomes(197, 3)) == {}  # other suites may


def test_one_card_of_plain_abuse_may_be_lost_however_few_there_are() -> None:
    before = outcomes(50, suite="plain_abuse")
    assert failures(before, outcomes(49, 1, suite="plain_abuse")) == {}
    assert "plain_abuse" in failures(before, outcomes(48, 2, suite="plain_abuse"))


def test_small_drops_in_every_suite_add_up() -> None:
    before = {name: {f"{n}": True for n in range(40)} for name in "abcde"}
    now = {name: {f"{n}": n >= 3 for n in range(40)} for name in "abcde"}
    assert list(failures(before, now)) == ["all"]


def test_a_baseline_of_other_cards_is_no_baseline() -> None:
    before = {"kind_ordinary": {f"old{n}": True for n in range(50)}}
    now = {"kind_ordinary": {f"new{n}": True for n in range(50)}}
    assert "--accept" in failures(before, now)["kind_ordinary"]


def test_a_suite_that_is_gone_fails() -> None:
    assert "kind_tricky" in failures({**outcomes(5), **outcomes(20, suite="kind_tricky")}, outcomes(5))


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    baseline.write(outcomes(3, 2), path)
    assert baseline.read(path) == outcomes(3, 2)


def test_without_a_baseline_reading_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        baseline.read(tmp_path / "none.json")
