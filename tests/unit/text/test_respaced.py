"""English whose spaces OCR lost or misplaced."""

from __future__ import annotations

import pytest

from gatepost_server.text.respaced import respaced


@pytest.mark.parametrize(
    ("read", "words"),
    [
        ("hopeyourot", "hope you rot"),
        ("gonnak i ll you", "gonna kill you"),
        ("happy birthday gofuckyourself", "happy birthday go fuck yourself"),
        ("wishyouwerehere", "wish you were here"),
    ],
)
def test_words_that_ran_together_or_fell_to_pieces_are_words_again(read: str, words: str) -> None:
    assert respaced(read) == words


@pytest.mark.parametrize(
    "text",
    [
        "",
        "merry christmas",
        "congratulations",
        "happy birthday xiaoming",
        "gongxifacai",
        "feliz cumpleanos",
        "we're cheering for you",
        "chuseok moon, songpyeon",
        "新年快乐 hopeyourot",
        "ho ho ho",
        "m is for the million things",
        "rest up, we'll feed the fish",
        "a" * 500,
    ],
)
def test_what_is_in_words_already_or_in_none_that_are_known_stays(text: str) -> None:
    assert respaced(text) is None
