"""`make bench`: what is made of waits, rounds, logs and parts."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import load
from benchmarks.cards import draw
from benchmarks.ocr_scores import Tally
from benchmarks.paddle_reference import Line
from benchmarks.rounds import contestant, files_of
from benchmarks.targets import at_least, reported
from benchmarks.throughput import drawings, latency, peers, report, startup, stream
from benchmarks.throughput.part import Part, keep, kept
from gatepost_client import Decision, Verdict

PAGE = Path(__file__).parents[3] / "docs" / "performance.md"


def jpeg() -> bytes:
    file = io.BytesIO()
    Image.radial_gradient("L").convert("RGB").save(file, "JPEG")
    return file.getvalue()


def answers(ends: Sequence[float], wait: float = 1.0, decision: Decision = Decision.ALLOW) -> list[load.Answer]:
    verdict = Verdict(decision, timings_ms={"decode": 10.0})
    return [load.Answer(end - wait, end, verdict, 0) for end in ends]


def test_a_fresh_image_is_another_file_with_the_same_pixels() -> None:
    image = jpeg()
    one, other = load.fresh(image), load.fresh(image)
    assert len({image, one, other}) == 3
    pixels = [np.asarray(Image.open(io.BytesIO(file))) for file in (image, one, other)]
    assert np.array_equal(pixels[0], pixels[1])
    assert np.array_equal(pixels[0], pixels[2])
    with pytest.raises(ValueError, match="JPEG"):
        load.fresh(b"\x89PNG")


def test_once_gives_every_image_as_often_as_asked() -> None:
    assert len(list(load.once([jpeg(), jpeg()], 3))) == 6


def test_the_rate_leaves_out_the_begin_and_the_end() -> None:
    # Two callers; a verdict every half second from 10 to 20, a slow start before and a straggler after.
    ends = [1.0, 2.0, *np.arange(10.0, 20.01, 0.5), 60.0]
    assert load.rate(answers(ends), 2) == pytest.approx(2.0, rel=0.15)


def test_what_was_held_does_not_count_as_judged() -> None:
    ends = np.arange(0.0, 30.0, 1.0)
    mixed = [*answers(ends), *answers(ends + 0.5, decision=Decision.HOLD)]
    assert load.rate(mixed, 4) == pytest.approx(1.0, rel=0.1)


def test_a_rate_of_too_few_verdicts_is_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        load.rate(answers([1.0]), 4)


def test_quantiles_name_the_caller_and_every_part() -> None:
    found = load.quantiles(answers(range(1, 101), wait=0.2))
    assert found["client"]["p50"] == pytest.approx(200.0)
    assert found["decode"] == {"p50": 10.0, "p99": 10.0}


def test_the_rate_with_the_most_callers_is_held_against_the_peak() -> None:
    steady = answers(np.arange(0.0, 100.0, 0.5))
    half = answers(np.arange(0.0, 200.0, 1.0))
    *_, row = latency.rows({1: steady, 4: half})
    assert row.value == pytest.approx(0.5, rel=0.05)
    assert row.met is False


def test_ratios_are_medians_of_the_rounds_own() -> None:
    rates = {
        peers.SERVED: [4.0, 8.0, 4.0],
        peers.PADDLEOCR: [1.0, 2.0, 2.0],  # the machine was twice as fast in the second round
        peers.RAPIDOCR: [2.0, 4.0, 2.0],
        peers.STAGES: [4.0, 8.0, 4.0],
    }
    errors = {name: Tally(characters=100, errors=10) for name in rates} | {
        peers.SERVED: Tally(characters=100, errors=9)
    }
    rows = {row.name: row for row in peers.rows(rates, errors)}
    assert rows[f"served / {peers.PADDLEOCR}"].value == 4.0
    assert rows[f"served / {peers.PADDLEOCR}"].met
    assert rows[f"served / {peers.RAPIDOCR}"].met is False
    assert rows[f"served / {peers.STAGES}"].met
    assert rows["CER, gatepost served"].target == "<= 10"
    assert rows["CER, gatepost served"].met


def test_everybody_has_every_turn_and_another_begins_each_round() -> None:
    order: list[str] = []

    def turn(name: str) -> float:
        order.append(name)
        return float(len(order))

    rates = peers.in_turns({name: lambda name=name: turn(name) for name in "abc"}, 3)  # type: ignore[misc]
    assert "".join(order) == "abcbcacab"
    assert {len(of) for of in rates.values()} == {3}


def test_errors_are_counted_over_all_cards() -> None:
    card = draw("plain", 9000)
    read = [Line(line.text, 0.9, line.outline) for line in card.lines]
    assert peers.errors_of({"a": card, "b": card}, {"a": read, "b": []}).cer == pytest.approx(50.0)
    with pytest.raises(KeyError):
        peers.errors_of({"a": card}, {})


@pytest.mark.parametrize("lines", [0, 1, 200])
def test_a_card_of_many_lines_stays_a_card(lines: int) -> None:
    with Image.open(io.BytesIO(drawings.card_of_lines(lines, 1))) as card:
        assert card.size == (1024, 1024)
        dark = (np.asarray(card.convert("L")) < 128).any(axis=1).sum()
    assert (dark > 0) == (lines > 0)


def test_frames_are_as_many_as_asked_and_differ() -> None:
    with Image.open(io.BytesIO(drawings.card_of_frames(32, 1))) as animation:
        assert animation.n_frames == 32
        animation.seek(5)
        fifth = np.asarray(animation.convert("RGB"))
        animation.seek(6)
        assert not np.array_equal(fifth, np.asarray(animation.convert("RGB")))
    assert drawings.card_of_frames(2, 1) != drawings.card_of_frames(2, 2)


def test_memory_is_held_against_the_mark_before_the_last() -> None:
    rows = {row.name: row for row in stream.rows({"x": {10: (1.0, 100.0), 100: (10.0, 200.0), 300: (30.0, 220.0)}})}
    assert rows["x, a stream of 300 images: images a second"].value == pytest.approx(10.0)
    more = rows["x, a stream of 300 images: more memory than after 100"]
    assert more.value == pytest.approx(10.0)
    assert more.met is False


LOG = "\n".join(
    [
        '{"event": "settings", "timestamp": "2026-11-22T23:00:02.000000Z"}',
        '{"event": "triton.starting", "timestamp": "2026-11-22T23:00:03.000000Z"}',
        'I1122 23:00:03.500000 9 model_lifecycle.cc:472] "loading: clip:1"',
        'I1122 23:00:03.500000 9 model_lifecycle.cc:472] "loading: decode:1"',
        "I1122 23:00:04.500000 9 model_lifecycle.cc:839] \"successfully loaded 'decode'\"",
        "I1122 23:00:07.500000 9 model_lifecycle.cc:839] \"successfully loaded 'clip'\"",
        '{"part": "gatepost.models", "serving": false, "event": "health", "timestamp": "2026-11-22T23:00:03.100000Z"}',
        '{"part": "gatepost.models", "serving": true, "event": "health", "timestamp": "2026-11-22T23:00:08.000000Z"}',
        '{"event": "models_trusted", "timestamp": "2026-11-22T23:00:09.000000Z"}',
    ]
)


def test_a_start_is_told_by_part() -> None:
    began = 1795388400.0  # 2026-11-22T23:00:00Z
    parts = startup.parts_of(LOG, began, 10.0)
    assert parts[startup.PROCESS] == pytest.approx(2.0)
    assert parts[startup.MODELS] == pytest.approx(4.0)
    assert parts["model decode"] == pytest.approx(1.0)
    assert parts["model clip"] == pytest.approx(4.0)
    assert parts[startup.CANARIES] == pytest.approx(1.0)
    whole = [parts[name] for name in (startup.PROCESS, startup.PREPARED, startup.TRITON, startup.MODELS)]
    whole += [parts[name] for name in (startup.SEEN, startup.CANARIES, startup.TOLD)]
    assert sum(whole) == pytest.approx(parts[startup.TOTAL])


def test_a_log_without_an_event_is_refused() -> None:
    with pytest.raises(KeyError):
        startup.parts_of(LOG.replace("triton.starting", "else"), 0.0, 10.0)


def test_parts_are_kept_one_by_one_and_the_page_has_a_place_for_each(tmp_path: Path) -> None:
    keep("latency", Part([at_least("x", 1.0, 2.0, "1/s", "make")], {"by_callers": {}}), 3.0, tmp_path)
    keep("stream", Part([reported("y", 1234.5, "MiB", "make")]), 0.0, tmp_path)
    parts = kept(["latency", "stream", "peers"], tmp_path)
    assert list(parts) == ["latency", "stream"]
    made = report.blocks(parts)
    assert made["bench peers"] == "Not measured yet."
    assert "| x | 1 1/s | ≥ 2 1/s, **missed** | `make` |" in made["bench latency"]
    assert "1,234 MiB" in made["bench stream"]
    assert "latency (3.0)" in made["bench how"]
    page = PAGE.read_text(encoding="utf-8")
    assert all(f"<!-- measured: {name} -->" in page for name in made)


def test_the_report_holds_every_row_and_draws_what_it_can(tmp_path: Path) -> None:
    figures = {
        "requests": 3, "images_per_second": 2.0, "parts_ms": {"client": {"p50": 300.0, "p99": 400.0}},
    }  # fmt: skip
    keep("latency", Part([reported("x", 1.0, "ms", "make")], {"by_callers": {1: figures, 4: figures}}), 0.0, tmp_path)
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    report.write(kept(["latency"], tmp_path), tmp_path / "cpu.json", page, tmp_path / "images")
    document = json.loads((tmp_path / "cpu.json").read_text(encoding="utf-8"))
    assert [row["name"] for row in document["targets"]] == ["x"]
    assert document["parts"]["latency"]["by_callers"]["4"]["images_per_second"] == 2.0
    assert (tmp_path / "images" / "performance-latency.svg").stat().st_size > 1_000
    assert "| x | 1 ms |" in page.read_text(encoding="utf-8")


def test_files_are_shared_without_any_left_over(tmp_path: Path) -> None:
    for name in "abcde":
        (tmp_path / f"{name}.jpg").touch()
    shares = [files_of(tmp_path, f"{index}/2") for index in range(2)]
    assert sorted(itertools.chain(*shares)) == files_of(tmp_path)


def test_a_contestant_that_ends_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no image")
    with (
        pytest.raises(RuntimeError, match="ended with"),
        contestant("benchmarks.rounds_that_are_not_there", tmp_path),
    ):
        pytest.fail("it said that it was ready")
