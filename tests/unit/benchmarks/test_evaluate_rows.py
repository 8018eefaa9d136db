"""Judged cards survive the end of a run, and only those of this system are used again."""

from __future__ import annotations

from pathlib import Path

from benchmarks.evaluate.rows import Rows, fingerprint


def test_rows_are_there_after_the_run_was_ended(tmp_path: Path) -> None:
    path = tmp_path / "cards.jsonl"
    Rows(path, "a").append({"key": "k", "decision": "ALLOW"})
    again = Rows(path, "a")
    assert "k" in again
    assert again["k"]["decision"] == "ALLOW"


def test_rows_of_another_system_are_judged_anew(tmp_path: Path) -> None:
    path = tmp_path / "cards.jsonl"
    Rows(path, "a").append({"key": "k"})
    assert "k" not in Rows(path, "b")


def test_a_half_written_last_line_is_judged_anew(tmp_path: Path) -> None:
    path = tmp_path / "cards.jsonl"
    Rows(path, "a").append({"key": "whole"})
    with path.open("a") as file:
        file.write('{"key": "ha')
    rows = Rows(path, "a")
    assert "whole" in rows
    rows.append({"key": "next"})
    assert "next" in Rows(path, "a")


def test_what_is_kept_stands_in_the_order_of_the_plan(tmp_path: Path) -> None:
    path = tmp_path / "cards.jsonl"
    rows = Rows(path, "a")
    for key in ("old", "second", "first"):
        rows.append({"key": key})
    rows.keep(["first", "second"])
    assert [line.split('"')[3] for line in path.read_text().splitlines()] == ["first", "second"]


def test_the_fingerprint_changes_with_code_and_weights(tmp_path: Path) -> None:
    code = tmp_path / "services" / "gatepost_server" / "stage.py"
    code.parent.mkdir(parents=True)
    code.write_text("one = 1\n")
    before = fingerprint(tmp_path)
    assert fingerprint(tmp_path) == before
    code.write_text("one = 2\n")
    changed = fingerprint(tmp_path)
    carrier = tmp_path / "services" / "gatepost_server" / "gateway" / "wire.py"
    carrier.parent.mkdir()
    carrier.write_text("one = 1\n")
    assert fingerprint(tmp_path) == changed
    weights = tmp_path / "model_repository" / "net" / "1" / "weights.npz"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"0")
    assert len({before, changed, fingerprint(tmp_path)}) == 3
