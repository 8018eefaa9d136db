"""Text is compared without what reading and writing do to it, and every character knows where it came from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost_server.text.folded import clauses_of, fold


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("新年快樂！", "新年快乐"),
        ("Ｈａｐｐｙ New—Year", "happynewyear"),
        ("Café", "cafe"),
        ("Season's", "seasons"),
        ("①②", "12"),
        ("~ · ♥", ""),
    ],
)
def test_case_script_width_marks_and_punctuation_do_not_matter(source, text):
    assert fold(source).text == text


def test_a_stretch_is_told_as_it_was_written():
    folded = fold("祝 Mr. O'Neill 新年快樂!")
    start = folded.text.index("新")
    assert folded.drawn(start, start + 4) == "新年快樂"
    assert folded.drawn(1, start) == "Mr. O'Neill"
    assert folded.drawn(2, 2) == ""


def test_words_are_numbered_and_every_chinese_character_is_one():
    folded = fold("Happy day 新年")
    assert len(set(folded.words)) == 4
    assert len(set(folded.words[:5])) == 1


@given(st.text(max_size=40))
def test_sequences_have_one_length_whatever_the_text(source):
    folded = fold(source)
    assert len(folded.text) == len(folded.origins) == len(folded.words)
    assert list(folded.origins) == sorted(folded.origins)


@pytest.mark.parametrize(
    ("asked", "clauses"),
    [
        ("新年快乐,仕途顺遂", ["新年快乐", "仕途顺遂"]),
        ("新年快乐 仕途顺遂", ["新年快乐", "仕途顺遂"]),
        ("Happy Birthday, Dad", ["Happy Birthday", "Dad"]),
        ("爸，别太累了", ["爸 别太累了"]),
        ("Happy New Year", ["Happy New Year"]),
        ("...", []),
    ],
)
def test_a_text_falls_into_clauses_that_may_stand_apart(asked, clauses):
    assert [clause.source for clause in clauses_of(asked)] == clauses
