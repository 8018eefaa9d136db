"""Scripts by ISO 15924."""

from __future__ import annotations

import pytest

from gatepost_server.text.scripts import count_scripts, is_script


@pytest.mark.parametrize(
    ("text", "scripts"),
    [
        ("新年快乐 2027!", {"Hani": 4}),
        ("Ｈappy ①st", {"Latn": 7}),
        ("С днём", {"Cyrl": 5}),
        ("お誕生日おめでとう", {"Hira": 6, "Hani": 3}),
        ("ハッピー", {"Kana": 3}),
        ("생일 축하", {"Hang": 4}),
        ("مبروك", {"Arab": 5}),
        ("★ 🎂 12", {}),
        ("", {}),
    ],
)
def test_letters_are_counted_by_script_and_signs_have_none(text, scripts):
    assert count_scripts(text) == scripts


@pytest.mark.parametrize(
    ("code", "known"), [("Cyrl", True), ("Hani", True), ("Zyyy", False), ("cyrl", False), ("Xxxx", False), ("", False)]
)
def test_a_code_is_known_or_not(code, known):
    assert is_script(code) is known
