"""Figures and their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks.evaluate import metrics


def test_a_share_has_wilsons_interval() -> None:
    figure = metrics.share(45, 50)
    assert figure.value == pytest.approx(0.9)
    assert (figure.low, figure.high) == pytest.approx((0.7864, 0.9565), abs=1e-4)  # Wilson (1927), by hand


def test_where_none_or_all_hit_the_interval_is_clopper_and_pearsons() -> None:
    none, every = metrics.share(0, 300), metrics.share(300, 300)
    assert (none.low, none.high) == pytest.approx((0.0, 1 - 0.025 ** (1 / 300)))
    assert (every.low, every.high) == pytest.approx((0.025 ** (1 / 300), 1.0))


def test_a_share_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no cases"):
        metrics.share(0, 0)


def test_auc_agrees_with_scikit_learn_ties_included() -> None:
    rng = np.random.default_rng(1)
    above, below = rng.integers(2, 9, 40) / 10, rng.integers(0, 7, 70) / 10
    labels = [1] * 40 + [0] * 70
    assert metrics.auc(above, below).value == pytest.approx(roc_auc_score(labels, [*above, *below]))


def test_aucs_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    truth = 0.760  # of two normal distributions one standard deviation apart
    figures = [metrics.auc(rng.normal(1, 1, 60), rng.normal(0, 1, 60)) for _ in range(300)]
    covered = sum(figure.low <= truth <= figure.high for figure in figures)
    assert 0.90 <= covered / 300 <= 0.99


def test_a_perfect_separation_of_few_cards_is_not_certain() -> None:
    figure = metrics.auc([0.9] * 10, [0.1] * 500)
    assert figure.value == 1.0
    assert figure.low < 0.75


def test_calibration_error_is_small_where_probabilities_are_right_and_large_where_not() -> None:
    rng = np.random.default_rng(3)
    said = rng.random(6_000)
    was = rng.random(6_000) < said
    assert metrics.calibration_error(said, was).value < 0.03
    off = metrics.calibration_error(said * 0.5, was)
    assert off.low <= off.value <= off.high
    assert off.value == pytest.approx(0.25, abs=0.03)


def test_bins_of_a_reliability_diagram_hold_equally_many() -> None:
    bins = metrics.reliability(np.linspace(0, 1, 3_001) ** 4, np.zeros(3_001))
    assert len(bins) == metrics.BINS
    assert max(one.n for one in bins) - min(one.n for one in bins) <= 1


def test_the_threshold_lets_no_more_than_the_given_share_reach_it() -> None:
    scores = np.r_[np.zeros(90), np.full(10, 0.7)]  # ties: a threshold of 0.7 would let all ten reach it
    for allowed in (0.0, 0.01, 0.05, 0.1):
        threshold = metrics.threshold_at(scores, allowed)
        assert (scores >= threshold).mean() <= allowed
    assert metrics.threshold_at(scores, 0.1) <= 0.7


def test_a_roc_curve_ends_in_both_corners() -> None:
    false, true = metrics.roc([0.9, 0.4], [0.1, 0.4])
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert np.sum(np.diff(false) * (true[1:] + true[:-1]) / 2) == pytest.approx(0.875)
