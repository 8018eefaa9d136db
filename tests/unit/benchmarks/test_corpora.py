"""The measuring texts are read strictly, and every suite holds what its name says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.corpora import EVASIONS, HERE, LANGUAGES, SPLITS, SUITES, Entry, load, parse

KIND = {"kind_ordinary", "kind_condolence", "kind_tricky", "unexpected", "as_asked"}
EVERY_SUITE = [(split, suite) for split in SPLITS for suite in SUITES]


def row(**changes: Any) -> dict[str, Any]:
    return {"lines": ["一行"], "language": "zh", "category": None} | changes


def test_an_entry_keeps_what_the_file_says() -> None:
    entry = parse(
        row(lines=["a", "b"], category="insult", asked=["c"], picture="1F382", evasion="pun", note="why"), "here"
    )
    assert entry == Entry(("a", "b"), "zh", "insult", ("c",), "1F382", "pun", "why")
    assert entry.text == "a\nb"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"colour": "red"}, "unknown keys"),
        ({"category": "rude"}, "unknown category"),
        ({"language": "fr"}, "unknown language"),
        ({"evasion": "spoken"}, "unknown evasion"),
        ({"lines": []}, "not empty"),
        ({"lines": "一行"}, "list of strings"),
        ({"lines": ["一行", ""]}, "without blanks"),
        ({"lines": [" 一行"]}, "without blanks"),
        ({"lines": [2026]}, "line of text"),
        ({"asked": []}, "not empty"),
        ({"picture": 127}, "in quotes"),
        ({"picture": "cake"}, "not a code point"),
        ({"picture": "FFFFFF"}, "not a code point"),
    ],
)
def test_what_is_not_known_is_refused(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=rf"^here.*{fault}"):
        parse(row(**changes), "here")


@pytest.mark.parametrize("key", ["lines", "language", "category"])
def test_a_missing_key_is_named(key: str) -> None:
    kept = {name: value for name, value in row().items() if name != key}
    with pytest.raises(ValueError, match=f"missing keys.*{key}"):
        parse(kept, "here")


def test_a_suite_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no suite"):
        load("train", "plain_abuse")


def test_every_file_is_a_suite() -> None:
    found = {(path.parent.name, path.stem) for path in Path(HERE).glob("*/*.yaml")}
    assert found == set(EVERY_SUITE)


@pytest.mark.parametrize(("split", "suite"), EVERY_SUITE)
def test_a_suite_says_what_its_name_says(split: str, suite: str) -> None:
    entries = load(split, suite)
    assert {entry.language for entry in entries} == set(LANGUAGES)
    assert all((entry.category is None) == (suite in KIND) for entry in entries)
    assert all(bool(entry.asked) == (suite in {"unexpected", "as_asked"}) for entry in entries)
    assert all((entry.picture is not None) == suite.endswith("_picture") for entry in entries)
    assert {entry.evasion for entry in entries} == (set(EVASIONS) if suite == "evasion_written" else {None})
    assert len(entries) == len({(entry.lines, entry.asked, entry.picture) for entry in entries})


@pytest.mark.parametrize("suite", SUITES)
def test_the_test_split_is_the_larger_one(suite: str) -> None:
    assert len(load("test", suite)) >= 1.5 * len(load("dev", suite))
