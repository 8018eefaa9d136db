"""Languages of short lines, and how Chinese sounds."""

from __future__ import annotations

import pytest

from gatepost_server.text.language import guess_language
from gatepost_server.text.pinyin import initials, sound, split_syllables


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("新年快乐", "zh"),
        ("Happy New Year", "en"),
        ("恭喜发财 2026", "zh"),
        ("VIP 新年", "zh"),
        ("2026", "und"),
        ("", "und"),
        ("с новым годом", "und"),
        ("あけましておめでとう", "und"),
    ],
)
def test_the_language_of_a_line_is_guessed_from_its_letters(text: str, language: str) -> None:
    assert guess_language(text) == language


def test_homophones_and_pinyin_sound_the_same() -> None:
    assert sound("傻逼") == sound("煞笔") == sound("sha bi") == sound("shabi") == " sha bi "


def test_english_words_are_no_syllables() -> None:
    assert split_syllables("happy") == ()
    assert split_syllables("caonima") == ("cao", "ni", "ma")
    assert split_syllables("x" * 100) == ()


def test_initials_are_those_of_the_chinese_characters() -> None:
    assert initials("你妈死了!") == "nmsl"
