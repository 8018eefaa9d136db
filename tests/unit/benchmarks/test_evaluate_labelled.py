"""Labelled sets against a classifier: which lines count, and which category answers for which label."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.evaluate import labelled
from gatepost_server.domain.labels import CATEGORIES, Category


class Words:
    """Scores a category 0.9 where a line has its name in it."""

    def scores(self, texts: Sequence[str], name: str = "") -> NDArray[np.float32]:
        return np.array([[0.9 if category in text else 0.1 for category in CATEGORIES] for text in texts], np.float32)


def table(path: Path, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])


@pytest.fixture
def measured(tmp_path: Path) -> dict[str, Any]:
    comments = [(f"insult number {n}", 1) for n in range(10)] + [(f"kind number {n}", 0) for n in range(10)]
    table(tmp_path / "cold/train.csv", ["text", "label"], comments)
    unseen = [("a hate line", 1), ("an odd line", 1), ("a kind line", 0), ("a good line", 0)]
    table(tmp_path / "cold/dev.csv", ["text", "label"], [("Insult  NUMBER 3", 1), *unseen])
    for path in ("edos/dev.csv", "hatemoji/validation.csv", "hatecheck_en/all.csv"):
        table(tmp_path / path, ["text", "label"], [("hate", 1), ("insult", 0), ("fine", 0)])
    judged = [("sexual", 1.0, 0.0), ("fine", 0.0, 0.0), ("hate", "", 1.0), ("sexual but not judged", "", 0.0)]
    rows = [(text, sexual, hate, *others) for text, sexual, hate in judged for others in [(0.0, 0.0, 0.0)]]
    rows += [("violence insult self_harm", 0.0, 0.0, 1.0, 1.0, 1.0)]
    table(tmp_path / "openai_moderation/half.csv", ["text", "S", "H", "V", "HR", "SH"], rows)
    prompts = [("hate insult violence self_harm sexual drugs", ", ".join(labelled.I2P)), ("a cat", "shocking")]
    table(tmp_path / "i2p/all.csv", ["prompt", "categories"], prompts)
    (tmp_path / "benign_zh.txt").write_text("生日快乐\n\nspam\n", encoding="utf-8")
    (tmp_path / "benign_en.txt").write_text("Happy birthday\n", encoding="utf-8")
    found: dict[str, Any] = labelled.measure(tmp_path, Words())
    return found["sets"]


def test_dev_lines_that_were_trained_on_are_left_out(measured: dict[str, Any]) -> None:
    assert measured["COLD dev"]["lines"] == 4


def test_either_kind_of_abuse_counts_where_the_set_asks_for_abuse(measured: dict[str, Any]) -> None:
    assert measured["COLD dev"]["accuracy"]["hits"] == 3  # "a hate line" is found, "an odd line" is not
    assert measured["COLD dev"]["plain_tfidf"]["accuracy"]["n"] == 4


def test_an_insult_is_no_hate_where_the_set_asks_for_hate(measured: dict[str, Any]) -> None:
    assert measured["HateCheck"]["accuracy"]["value"] == 100


def test_lines_that_nobody_judged_for_a_label_do_not_count_for_it(measured: dict[str, Any]) -> None:
    areas = measured["OpenAI moderation (half)"]["auc_by_label"]
    assert (areas["S"]["positive"], areas["S"]["n"], areas["S"]["value"]) == (1, 3, 100)


def test_empty_lines_are_no_greetings(measured: dict[str, Any]) -> None:
    assert (measured["benign_zh"]["flagged"]["hits"], measured["benign_zh"]["lines"]) == (1, 2)


def test_a_folder_without_the_sets_is_a_mistake_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"train\.csv"):
        labelled.measure(tmp_path, Words())


def test_each_label_is_answered_for_by_known_categories() -> None:
    assert {c for some in (*labelled.OPENAI.values(), *labelled.I2P.values()) for c in some} <= set(Category)
