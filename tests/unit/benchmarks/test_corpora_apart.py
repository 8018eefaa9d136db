"""What cards are measured with is neither in the other split nor in what the text model is trained on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from opencc import OpenCC

from benchmarks.corpora import SPLITS, SUITES, load

TRAINING = Path(__file__).parents[3] / "training" / "text"
SIMPLIFIER = OpenCC("t2s")
# A card of two or three lines may open with the greeting that every such card bears.
GREETINGS = {
    "生日快乐", "新年快乐", "圣诞快乐", "中秋快乐", "开学快乐", "毕业快乐", "乔迁快乐", "乔迁之喜", "开业大吉", "早日康复", "升职快乐", "恭喜发财",
    "happybirthday", "happybirthdaytoyou", "happynewyear", "merrychristmas", "happymothersday", "happyfathersday", "getwellsoon",
    "happyvalentinesday", "happywomensday", "happyanniversary", "mayallyourdreamscometrue", "rosesarered",
}  # fmt: skip
HIDDEN_IN_ORDER = {"acrostic", "columns"}  # each line is harmless: only the whole card says something


def plain(text: str) -> str:
    """Simplified, in small letters, without blanks and punctuation; emoji stay."""
    return re.sub(r"[\W_]", lambda match: match[0] if ord(match[0]) > 0x1F000 else "", SIMPLIFIER.convert(text).lower())


def long_enough(line: str) -> bool:
    """Whether meeting the line elsewhere says more than that both know the language."""
    return len(re.findall(r"[\u4e00-\u9fff]", line)) >= 4 or len(re.findall(r"[a-z']+", line.lower())) >= 3


def measured(split: str) -> dict[str, str]:
    """Every whole card of the split and each of its lines that says something, normalised, with where it stands.

    `as_asked` is left out: it repeats greetings by its nature, and no text model is measured on it.
    """
    found = {}
    for suite in SUITES:
        if suite == "as_asked":
            continue
        for entry in load(split, suite):
            own = () if entry.evasion in HIDDEN_IN_ORDER else entry.lines
            said = [line for line in own if plain(line) not in GREETINGS]
            for text in (entry.text, *said):
                if long_enough(text):
                    found[plain(text)] = f"{suite}: {text}"
    return found


def strings(node: object) -> Iterator[str]:
    """Every string in a YAML document, keys too, and every line of it."""
    if isinstance(node, str):
        yield node
        yield from node.splitlines()
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from strings(key)
            yield from strings(value)
    elif isinstance(node, list):
        yield "\n".join(map(str, node))
        for value in node:
            yield from strings(value)


def trained() -> set[str]:
    """Every line of the files that the text model's training reads from the repository, normalised."""
    found: set[str] = set()
    for path in TRAINING.rglob("*"):
        if path.suffix in {".yaml", ".yml"}:
            for text in strings(yaml.safe_load(path.read_text(encoding="utf-8"))):
                found.update(map(plain, [text, *re.split(r"\s+/\s+", text)]))  # " / " stands between lines of a card
        elif path.suffix in {".txt", ".tsv", ".csv"}:
            found.update(map(plain, re.split(r"[\n\t]", path.read_text(encoding="utf-8"))))
    return found


def test_dev_and_test_share_no_line() -> None:
    dev, test = measured("dev"), measured("test")
    assert [test[line] for line in test if line in dev] == []


def test_no_measured_line_is_trained_on() -> None:
    lines = trained()
    assert len(lines) > 1000, "the training texts were not found"
    shared = [
        f"{split}/{where}" for split in ("test", "dev") for line, where in measured(split).items() if line in lines
    ]
    assert shared == []


@pytest.mark.parametrize("split", SPLITS)
def test_what_was_asked_is_written_in_one_suite_and_not_in_the_other(split: str) -> None:
    assert [entry.lines for entry in load(split, "as_asked") if plain(entry.text) != plain("".join(entry.asked))] == []
    assert [
        entry.lines for entry in load(split, "unexpected") if plain(entry.text) == plain("".join(entry.asked))
    ] == []
