"""What is made of the sweep's figures and of two machines' readings."""

import json
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from benchmarks.gpu import served
from benchmarks.gpu.agreement import Seen, from_plain, plain, same_texts, score_difference
from benchmarks.gpu.served import rows

HERE = [Seen(["新年快乐", "2026"], {"weapon": 0.50}), Seen([], {"weapon": 0.10})]
THERE = [Seen(["2026", "新年快樂"], {"weapon": 0.52}), Seen([], {"weapon": 0.10})]


def figures(rate, p99):
    return {"images_per_second": rate, "p99_ms": p99}


def test_lines_may_change_places_but_not_letters():
    assert same_texts(HERE, HERE) == 1.0
    assert same_texts(HERE, THERE) == 0.5


def test_a_line_that_only_one_saw_counts():
    assert same_texts([Seen(["a", "b"], {})], [Seen(["a"], {})]) == 0.5


def test_nothing_read_is_no_agreement():
    with pytest.raises(ValueError, match="no line"):
        same_texts([Seen([], {})], [Seen([], {})])


def test_other_cards_are_not_compared():
    with pytest.raises(ValueError, match="shorter"):
        same_texts(HERE, THERE[:1])


def test_the_largest_difference_counts_and_a_missing_score_is_zero():
    assert score_difference(HERE, THERE) == pytest.approx(0.02)
    assert score_difference(HERE, [Seen([], {}), Seen([], {})]) == 0.5


def test_a_reference_survives_its_file():
    assert from_plain(json.loads(json.dumps(plain(HERE)))) == HERE


def test_the_wait_is_taken_where_seventy_percent_of_the_peak_is_reached():
    made = rows({1: figures(100, 10), 8: figures(900, 90), 64: figures(1200, 400)}, HERE, THERE)
    assert [(target.value, target.met) for target in made[:2]] == [(1200, True), (90, True)]
    assert [target.met for target in made[2:]] == [False, False]


def test_without_a_reference_nothing_is_said_of_agreement():
    assert len(rows({1: figures(100, 10)}, HERE, None)) == 2


def test_what_one_machine_saw_is_held_against_the_other(monkeypatch, tmp_path):
    monkeypatch.setattr(served, "encoded", lambda: [b"card"])
    monkeypatch.setattr(served, "running", lambda **_: nullcontext(SimpleNamespace(address="nowhere")))
    monkeypatch.setattr(served, "see", lambda _address, _images: HERE)
    monkeypatch.setattr(served, "sweep", lambda *_: {1: figures(100, 10)})
    places = ["--reference", str(tmp_path / "reference.json"), "--out", str(tmp_path / "gpu.json")]
    served.main(["--reference-only", *places])
    assert not (tmp_path / "gpu.json").exists()
    served.main(places)
    written = json.loads((tmp_path / "gpu.json").read_text())
    assert {target["name"]: target["met"] for target in written["targets"]}["texts as on the CPU"] is True
    assert written["by_callers"]["1"]["images_per_second"] == 100
