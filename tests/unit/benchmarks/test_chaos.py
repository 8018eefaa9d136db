"""What `make chaos` counts as wrong and as lost, and that its faults reach a model."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.chaos.cards import Known, known_cards
from benchmarks.chaos.fault import Fault
from benchmarks.chaos.faults.callers import _p99
from benchmarks.chaos.faults.clock import MOVED
from benchmarks.chaos.ledger import Ledger, Manner, lost
from benchmarks.chaos.overlay import Overlay
from benchmarks.chaos.report import rows_of, targets_of
from benchmarks.chaos.run import Row, in_turn
from gatepost_client import Coverage, Decision, GatepostError, Verdict, Versioned
from gatepost_client.tickets import UnknownKeyError

GOOD = Known("kind.png", b"kind", (), "en", Decision.ALLOW)
BAD = Known("bad.png", b"bad", (), "en", Decision.BLOCK)
ALLOW = Verdict(Decision.ALLOW, name="verdicts/1", coverage=Coverage(complete=True), policy=Versioned("default", "1"))
BLOCK = dataclasses.replace(ALLOW, decision=Decision.BLOCK)
HOLD = Verdict(Decision.HOLD, name="verdicts/1", pending=True)


class NoKeys:
    def find(self, key_id):
        raise UnknownKeyError(key_id)


@pytest.fixture
def ledger():
    return Ledger(NoKeys(), fault="a fault")


def row(times=1, **kept):
    async def nothing(scene, count):
        pass

    return Row(Fault("a fault", nothing, times=times), **kept)


def missed(ledger, of):
    found = rows_of([of], ledger)
    return {target.name.removeprefix("a fault: ") for target in targets_of([of], found) if target.met is False}


def test_a_bad_card_that_was_allowed_in_the_end_is_a_wrong_allow(ledger):
    entry = ledger.open(BAD, Manner.PATIENT)
    entry.answer(HOLD)
    entry.final = ALLOW
    assert ledger.wrong_allows(ledger.asked) == [entry]
    assert missed(ledger, row(injected=1, full_service_s=[1.0])) == {"wrong ALLOWs"}


def test_a_good_card_that_was_allowed_without_a_ticket_is_a_wrong_allow(ledger):
    ledger.open(GOOD, Manner.PATIENT).answer(ALLOW)
    assert len(ledger.wrong_allows(ledger.asked)) == 1


def test_what_was_blocked_held_or_refused_is_no_wrong_allow(ledger):
    for verdict in (BLOCK, HOLD):
        ledger.open(BAD, Manner.PATIENT).answer(verdict)
    ledger.open(BAD, Manner.PATIENT).answer(None, GatepostError("away"))
    assert ledger.wrong_allows(ledger.asked) == []


def test_a_pending_verdict_that_never_becomes_final_is_lost(ledger):
    entry = ledger.open(GOOD, Manner.IMPATIENT)
    entry.answer(HOLD)
    assert lost(ledger.asked) == [entry]
    assert missed(ledger, row(injected=1, full_service_s=[1.0])) == {"lost accepted requests"}
    entry.final = BLOCK
    assert lost(ledger.asked) == []


def test_silence_is_a_loss_and_a_typed_error_is_not(ledger):
    silent, told = ledger.open(GOOD, Manner.STREAM), ledger.open(GOOD, Manner.STREAM)
    told.answer(None, GatepostError("no room"))
    assert lost(ledger.asked) == [silent]


def test_a_fault_that_was_not_injected_as_often_as_planned_is_a_missed_target(ledger):
    assert missed(ledger, row(times=2, injected=1, full_service_s=[1.0])) == {"injected"}
    assert missed(ledger, row()) == {"injected"}


def test_every_fault_is_injected_once_before_any_is_injected_again():
    often, once = row(times=3), row(times=1)
    assert list(in_turn([often, once])) == [(often, 0), (once, 0), (often, 1), (often, 2)]


def test_service_that_does_not_come_back_is_a_missed_target(ledger):
    assert missed(ledger, row(injected=1, full_service_s=[float("inf")])) == {"full service after"}


def test_the_cards_are_good_and_bad():
    rights = {card.right for card in known_cards()}
    assert rights == {Decision.ALLOW, Decision.BLOCK}


def test_the_slowest_of_a_hundred_is_left_out_of_the_p99():
    assert _p99([*range(99), 1_000]) == 98


def test_an_overlaid_model_repository_holds_the_true_models_beside_those_that_fail(tmp_path):
    model = tmp_path / "genuine" / "clip"
    (model / "1").mkdir(parents=True)
    (model / "config.pbtxt").write_text('name: "clip"')
    (model / "1" / "model.py").write_text("true")
    (model / "1" / "weights").write_text("heavy")
    overlay = Overlay(tmp_path / "genuine", tmp_path)
    clip = overlay.repository / "clip"
    assert (clip / "config.pbtxt").read_text() == 'name: "clip"'
    assert (clip / "1" / "genuine.py").read_text() == "true"
    assert (clip / "1" / "weights").is_symlink()
    assert "Spoiling" in (clip / "1" / "model.py").read_text()
    switch = Path(overlay.environment["CHAOS_MODEL_FAULT"])
    with overlay.failing("clip", "nan"):
        assert switch.read_text() == "clip nan"
    assert not switch.exists()


def test_a_moved_clock_is_what_a_gateway_s_python_sees_and_only_the_wall_clock_moves(tmp_path):
    hand = tmp_path / "clock"
    hand.write_text("3600")
    program = "import time; print(time.time(), time.monotonic())"
    environment = {**os.environ, "PYTHONPATH": str(MOVED), "CHAOS_CLOCK": str(hand)}
    before = time.time(), time.monotonic()
    seen = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    wall, monotonic = map(float, seen.stdout.split())
    assert before[0] + 3_600 <= wall <= time.time() + 3_600
    assert before[1] <= monotonic <= time.monotonic()
