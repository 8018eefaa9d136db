"""The fuzzer sees what it is there to see: a real child that dies, hangs, or reads what it should not."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from benchmarks.fuzz import children
from benchmarks.fuzz.cases import Case
from benchmarks.fuzz.children import Child
from benchmarks.fuzz.guided import fuzz, requests
from benchmarks.fuzz.seeds import seeds
from benchmarks.fuzz.tally import tally

pytestmark = pytest.mark.integration

GOOD = [case.data for case in seeds()]


def pid(child: Child) -> int:
    assert child._process is not None
    return child._process.pid


def test_good_and_bad_images_are_told_apart_by_both_readers():
    with Child("decode") as decoder, Child("pillow") as reader:
        for child in (decoder, reader):
            assert all(child.ask(data).read for data in GOOD)
            assert not child.ask(GOOD[0][:500]).read
        assert decoder.ask(b"text").why == "IMAGE_FORMAT_UNSUPPORTED"


def test_a_child_that_dies_is_a_crash_and_the_next_image_gets_another():
    with Child("decode") as child:
        assert child.ask(GOOD[0]).read
        os.kill(pid(child), signal.SIGKILL)
        answer = child.ask(GOOD[0])
        assert answer.why == "crash: -9"
        assert answer.fault
        assert child.ask(GOOD[0]).read


def test_a_child_that_stands_still_is_a_hang(monkeypatch):
    with Child("decode") as child:
        assert child.ask(GOOD[0]).read
        os.kill(pid(child), signal.SIGSTOP)
        monkeypatch.setattr(children, "HANG_WALL_S", 0.5)
        assert child.ask(GOOD[0]).why == "hang"


def test_an_image_that_takes_too_long_is_a_hang(monkeypatch):
    monkeypatch.setattr(children, "HANG_CPU_S", 0.0)
    with Child("decode") as child:
        assert child.ask(GOOD[0]).why == "hang"


def test_a_tally_keeps_what_crashed_the_decoder(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(children, "HANG_CPU_S", 0.0)
    found = tally([Case("PNG", "bomb", "one", GOOD[0])], GOOD, tmp_path)
    assert len(found.faults["hang"]) == 1
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [GOOD[0]]


@pytest.mark.parametrize("role", ["wire", "decode"])
def test_atheris_runs_over_both_entries_and_finds_nothing_at_once(role, tmp_path):
    pytest.importorskip("atheris")
    ran = fuzz(role, requests() if role == "wire" else GOOD, seconds=2, seed=1, kept=tmp_path)
    assert ran.ok, ran.end
    assert ran.runs > len(GOOD)
    assert ran.coverage > 0
