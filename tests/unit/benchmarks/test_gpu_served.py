"""What is made of the sweep's figures and of two machines' readings."""

import asyncio
import json
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from benchmarks.gpu import served
from benchmarks.gpu.agreement import Seen, from_plain, plain, same_texts, score_difference
from benchmarks.gpu.in_process import Share
from benchmarks.gpu.in_process import rate as process_rate
from benchmarks.gpu.served import agreement, peak_of, rows
from benchmarks.load import endless, paced
from gatepost_client.testing import FakeServer

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


def test_the_peak_is_held_against_its_target_and_against_the_stages_without_a_server():
    assert peak_of({1: figures(100, 10), 8: figures(1200, 90), 64: figures(900, 400)}) == 1200
    made = {target.name: target.met for target in rows(1200.0, 90.0, alone=1600.0)}
    assert list(made.values()) == [True, True, None, True]
    assert [target.met for target in rows(900.0, 151.0, alone=1600.0)] == [False, False, None, False]


def test_what_differs_from_the_reference_misses_its_target():
    assert [target.met for target in agreement(HERE, HERE)] == [True, True]
    assert [target.met for target in agreement(HERE, THERE)] == [False, False]


def test_processes_that_began_and_ended_apart_count_from_the_first_to_the_last():
    assert process_rate([Share(30, 1.0, 4.0), Share(20, 2.0, 6.0)]) == 10.0


class Measured:
    """Stands for the parts that need a server."""

    def __init__(self, monkeypatch):
        self.environments = []
        for name, stand_in in {
            "encoded": lambda: [b"card"],
            "running": self.running,
            "see": lambda _address, _images: HERE,
            "sweep": lambda *_: {1: figures(100, 10)},
            "at_random": lambda _address, _images, a_second, _seconds: {"a_second": a_second, "p99_ms": 20.0},
            "in_process_rate": lambda *_, **__: 125.0,
        }.items():
            monkeypatch.setattr(served, name, stand_in)

    def running(self, *, environment, **_):
        self.environments.append(environment)
        return nullcontext(SimpleNamespace(address="nowhere"))


@pytest.fixture
def measured(monkeypatch):
    return Measured(monkeypatch)


def test_what_one_machine_saw_exactly_is_held_against_the_other(measured, tmp_path):
    places = ["--reference", str(tmp_path / "reference.json"), "--out", str(tmp_path / "gpu.json")]
    served.main(["--reference-only", *places])
    assert measured.environments == [{"GATEPOST_MODEL_PRECISION": "f32"}]
    assert not (tmp_path / "gpu.json").exists()
    served.main(places)
    written = json.loads((tmp_path / "gpu.json").read_text())
    met = {target["name"]: target["met"] for target in written["targets"]}
    assert met["texts as on the CPU"] is met["peak / rate without a server"] is True
    assert written["by_callers"]["1"]["images_per_second"] == 100
    assert written["at_random"]["a_second"] == 70


def test_another_clip_is_served_for_its_speed_alone(measured, tmp_path):
    places = ["--reference", str(tmp_path / "reference.json"), "--out", str(tmp_path / "gpu.json")]
    served.main(["--reference-only", *places])
    served.main(["--clip", "ViT-L-14", *places])
    assert measured.environments[-1] == {"GATEPOST_MODEL_CLIP_MODEL": "ViT-L-14"}
    written = json.loads((tmp_path / "gpu.json").read_text())
    assert written["clip"] == "ViT-L-14"
    assert "texts as on the CPU" not in {target["name"] for target in written["targets"]}


@pytest.fixture
def gate():
    server = FakeServer()
    server.start()
    yield server
    server.close()


def test_images_come_at_random_in_the_mean_as_often_as_asked_and_never_twice_the_same(gate):
    answers = asyncio.run(paced(gate.target, endless([b"\xff\xd8card"]), 40.0, seconds=3.0))
    assert 80 <= len(answers) == len(gate.received) <= 160
    assert len({each.request.image for each in gate.received}) == len(answers)


def test_waits_are_taken_of_a_gate_under_load(gate):
    images = [b"\xff\xd8card"]
    figures = served.sweep(gate.target, images, (1, 2), seconds=1.0)
    random = served.at_random(gate.target, images, 20.0, seconds=1.0)
    for each in (*figures.values(), random):
        assert 0 < each["p50_ms"] <= each["p99_ms"]
        assert each["parts_ms"]["client"]["p50"] == pytest.approx(each["p50_ms"])
    assert peak_of(figures) > 0
