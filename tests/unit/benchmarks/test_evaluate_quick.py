"""`make evaluate-quick` fails where gatepost got worse, and only there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.cards import Split
from benchmarks.evaluate import __main__ as command
from benchmarks.evaluate import baseline, full, ready


def rows(missed: int) -> list[dict[str, Any]]:
    return [
        {
            "key": f"{number:03}", "suite": "implicit_malice", "language": "zh", "category": "insult", "style": "plain",
            "picture": "", "evasion": "", "decision": "ALLOW" if number < missed else "REVIEW", "reasons": [],
            "scores": {"insult": 0.1 if number < missed else 0.6}, "lines": ["祝你"], "read": [["祝你", 1.0]],
        }
        for number in range(40)
    ]  # fmt: skip


@pytest.fixture(autouse=True)
def baseline_of_two_misses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "baseline.json"
    monkeypatch.setattr(baseline, "BASELINE", path)
    monkeypatch.setattr(full, "cards", lambda *_: rows(2))
    assert command.quick(accept=True) == 0
    return path


@pytest.mark.parametrize(("missed", "status"), [(2, 0), (0, 0), (4, 0), (20, 1)])
def test_a_drop_fails_and_chance_or_progress_passes(missed: int, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full, "cards", lambda *_: rows(missed))
    assert command.quick(accept=False) == status


def test_cards_that_were_lost_are_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(full, "cards", lambda *_: rows(20))
    command.quick(accept=False)
    shown = capsys.readouterr().out
    assert shown.count("lost   implicit_malice insult plain | 祝你") == 18
    assert "FAILED: 18 cards lost and 0 won" in shown


def test_where_cards_cannot_be_drawn_it_is_skipped_loudly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ready, "missing", lambda split: f"no fonts for {split}")
    monkeypatch.setattr("sys.argv", ["evaluate", "--quick"])
    assert command.main() == 0
    assert "SKIPPED: nothing is measured, for no fonts for dev" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", ["evaluate"])
    assert command.main() == 2  # whoever asks for the whole report must not take silence for success


def test_texts_of_the_test_split_are_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(full, "cards", lambda *_: rows(3))
    command.suite(command.Suite.IMPLICIT_MALICE, Split.TEST, None)
    assert "祝你" not in capsys.readouterr().out
    command.suite(command.Suite.IMPLICIT_MALICE, Split.DEV, None)
    assert capsys.readouterr().out.count("| 祝你 |") == 3
