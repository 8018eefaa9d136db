"""The simulated fleet: it obeys what queues obey, the gateway's admission and the SDK's retries."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.simulation import report, study
from benchmarks.simulation.demand import Burst, closed_loop, open_loop
from benchmarks.simulation.fleet import MARGIN_S, Fleet, Outcome, at_random, least_request
from gatepost_client._retry import RetryPolicy
from gatepost_server.gateway.admission import AdmissionLimits

PAGE = Path(__file__).parents[3] / "docs" / "scaling.md"
CALM = Burst(1.0, 1.0, ends=4_000.0)


def fleet(replicas: int = 1, *, timeout_s: float = 1e6, **more: object) -> Fleet:
    return Fleet(replicas, [0.5], seed=1, timeout_s=timeout_s, **more)  # type: ignore[arg-type]


def test_callers_who_wait_for_each_other_wait_their_number_of_times() -> None:
    seen = closed_loop(fleet(), 4, 100.0)
    assert np.median([each.wait for each in seen]) == pytest.approx(4 * 0.5)


def test_a_queue_of_even_work_waits_as_theory_says() -> None:
    # M/D/1 with half the machine busy: mean wait in the queue is rho / (2 (1 - rho)) services (Pollaczek, Khinchine).
    seen = open_loop(fleet(), CALM)
    assert np.mean([each.wait for each in seen]) == pytest.approx(0.5 + 0.5 * 0.5, rel=0.1)


def test_the_same_seed_sees_the_same() -> None:
    assert open_loop(fleet(3), CALM) == open_loop(fleet(3), CALM)


def test_who_cannot_be_judged_in_time_is_held_at_the_deadline() -> None:
    seen = closed_loop(fleet(timeout_s=1.0), 8, 50.0)
    held = [each for each in seen if each.outcome is Outcome.HELD]
    assert held
    assert all(each.wait == pytest.approx(1.0 - MARGIN_S) for each in held)
    assert max(each.wait for each in seen) <= 1.0


def test_no_more_are_inside_than_admission_lets_in_and_the_others_are_refused() -> None:
    too_many = Burst(4.0, 4.0, ends=60.0)  # a replica judges two a second
    seen = open_loop(fleet(limits=AdmissionLimits(2, 2), retry=RetryPolicy(retries=0), timeout_s=30.0), too_many)
    refused = [each for each in seen if each.outcome is Outcome.REFUSED]
    assert refused
    assert all(each.wait == 0.0 and each.refusals == 1 for each in refused)
    judged = [each.wait for each in seen if each.outcome is Outcome.JUDGED]
    assert 0.5 < max(judged) <= 2 * 0.5


def test_the_refused_come_back_as_the_sdk_does() -> None:
    seen = closed_loop(fleet(limits=AdmissionLimits(1, 1), timeout_s=30.0), 2, 20.0)
    again = [each for each in seen if each.outcome is Outcome.JUDGED and each.refusals]
    assert again
    assert all(each.wait >= 0.5 + AdmissionLimits().retry_after_s for each in again)


def test_two_choices_balance_better_than_one() -> None:
    busy = Burst(16.0, 16.0, ends=300.0)  # ten replicas of two a second
    waits = {
        balancer: np.percentile([each.wait for each in open_loop(fleet(10, balancer=balancer), busy)], 99)
        for balancer in (least_request, at_random)
    }
    assert waits[least_request] < 0.7 * waits[at_random]


def test_images_come_at_the_rates_of_the_burst() -> None:
    burst = Burst(2.0, 40.0, begins=100.0, lasts=100.0, ends=300.0)
    seen = open_loop(fleet(100), burst)
    inside = sum(burst.inside(each.began) for each in seen)
    assert inside == pytest.approx(4_000, rel=0.06)
    assert len(seen) - inside == pytest.approx(400, rel=0.2)


def test_work_is_scaled_to_the_best_rate_and_keeps_its_shape() -> None:
    work = study.work([200.0, 400.0], 5.0)
    assert np.mean(work) == pytest.approx(0.2)
    assert work[1] == pytest.approx(2 * work[0])


def test_the_check_says_how_far_off_the_model_is() -> None:
    measured = {"parts_ms": {"client": {"p50": 1_600.0, "p99": 4_000.0}}}
    found = study.check(measured, [0.5], 4)
    assert found["p50_off"] == pytest.approx(25.0)
    assert found["p99_off"] == pytest.approx(50.0)
    rows = study.rows({"4": found}, [{"size": 1.1, "refused": 0.0, "held": 0.05}])
    assert [row.met for row in rows] == [True, False, None]


def test_the_page_has_a_place_for_everything_that_is_simulated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(study, "IMAGES_A_DAY", 5e4)
    monkeypatch.setattr(study, "CELL", 2)
    client = {"client": {"p50": 1_200.0, "p99": 1_500.0}}
    by_callers = {
        callers: {"images_per_second": 4.0, "waits_ms": [250.0, 300.0], "parts_ms": client}
        for callers in ("1", "4", "16")
    }
    part = study.study(by_callers, "2026-11-22T00:00:00+00:00").figures
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    report.write(part, page, tmp_path)
    written = page.read_text(encoding="utf-8")
    assert all(block in written for block in report.blocks(part).values())
    assert "least request" in written
    assert "50,000,000 images a day / 86,400 s" in written
    assert (tmp_path / report.PICTURE).stat().st_size > 1_000
    report.write(None, page, tmp_path)
    assert page.read_text(encoding="utf-8").count("Not simulated yet.") == 5
