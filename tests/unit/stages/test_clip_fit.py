"""Fitting prompts and levels to labelled pictures."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gatepost_server.stages.clip.fit import area_under_curve, choose_entries, fit, platt, raw_scores, reached_by

NEGATIVES = slice(3, 4)


def logits(rng: np.random.Generator, count: int, means: tuple[float, ...]) -> np.ndarray:
    """Pictures with two looks each, and one entry for each mean."""
    return rng.normal(means, 1.0, size=(count, 2, len(means))).astype(np.float32)


@pytest.fixture
def pictures():
    rng = np.random.default_rng(1)
    # The first two entries tell risky pictures apart; the third one likes kind pictures better.
    return logits(rng, 400, (0, 0, 6, 0)), logits(rng, 400, (4, 3, 2, 0))


def test_a_picture_counts_by_its_worst_look():
    looks = np.array([[[1.0, 0.0], [5.0, 0.0]]], np.float32)
    assert raw_scores(looks, [0], slice(1, 2)) == pytest.approx([5.0])


def test_an_entry_that_misleads_is_dropped(pictures):
    kind, risky = pictures
    assert 2 not in choose_entries(kind, risky, [0, 1, 2], NEGATIVES)


def test_the_last_entry_stays_however_bad_it_is(pictures):
    kind, risky = pictures
    assert choose_entries(kind, risky, [2], NEGATIVES) == [2]


def test_the_area_is_the_chance_of_the_right_order():
    assert area_under_curve(np.array([0, 1], np.float32), np.array([2, 3], np.float32)) == 1.0
    assert area_under_curve(np.array([1, 1], np.float32), np.array([1, 1], np.float32)) == 0.5
    assert area_under_curve(np.array([0, 2], np.float32), np.array([1], np.float32)) == 0.5


def test_platts_line_gives_frequencies():
    rng = np.random.default_rng(2)
    raw = rng.normal(0, 3, 20_000).astype(np.float32)
    risky = rng.random(len(raw)) < 1 / (1 + np.exp(-(0.7 * raw - 1)))
    slope, intercept = platt(raw[~risky], raw[risky])
    assert (slope, intercept) == pytest.approx((0.7, -1.0), abs=0.08)


def test_what_is_rarer_than_the_pictures_is_extrapolated():
    rng = np.random.default_rng(3)
    kind = rng.exponential(1.0, 2_000).astype(np.float32)
    assert reached_by(kind, 0.0001) == pytest.approx(math.log(10_000), rel=0.15)


def test_no_more_kind_pictures_than_may_reach_one_half(pictures):
    kind, risky = pictures
    strict = fit(kind, risky, [0, 1, 2], NEGATIVES, alarms=0.001)
    loose = fit(kind, risky, [0, 1, 2], NEGATIVES, alarms=0.09)
    raw = raw_scores(kind, strict.entries, NEGATIVES)
    assert float((strict.slope * raw + strict.intercept >= 0).mean()) <= 0.005
    assert strict.intercept <= loose.intercept
    assert strict.auc > 0.95


def test_both_kinds_of_pictures_are_needed(pictures):
    kind, _ = pictures
    with pytest.raises(ValueError, match="both"):
        fit(kind, kind[:0], [0], NEGATIVES, alarms=0.01)
