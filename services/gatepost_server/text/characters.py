"""Character classes and single-character foldings shared by the text modules."""

from __future__ import annotations

import functools
import re
import unicodedata

from confusable_homoglyphs import confusables

# Character class bodies for regular expressions.
HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
LATIN = "a-z"

_HAN_PATTERN = re.compile(f"[{HAN}]")

# Blocks whose marks only decorate another character (Zalgo text, accents, variation selectors).
# Marks of other scripts (kana voicing, Indic vowels) carry meaning and stay.
_DECORATION = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\U000e0100-\U000e01ef]"
)

# Lettered emoji that NFKC leaves alone: negative circled, negative squared, regional indicators.
_EMOJI_LETTERS = {
    first + offset: chr(ord("a") + offset) for first in (0x1F150, 0x1F170, 0x1F1E6) for offset in range(26)
}

_LOOKALIKE_SCRIPTS = ("CYRILLIC", "GREEK", "CHEROKEE", "ARMENIAN", "LATIN", "COPTIC", "LISU", "ROMAN")


def is_han(character: str) -> bool:
    """Whether one character is a Chinese ideograph."""
    return _HAN_PATTERN.match(character) is not None


def count_han(text: str) -> int:
    """How many Chinese ideographs a text holds."""
    return len(_HAN_PATTERN.findall(text))


def count_letters(text: str) -> int:
    """How many letters, digits and ideographs a text holds: stars, dots and spaces are none."""
    return sum(character.isalnum() for character in text)


def drop_invisible(text: str) -> str:
    """Remove format, control, private and surrogate characters and decorating marks; white space becomes " "."""
    kept: list[str] = []
    for character in _DECORATION.sub("", text):
        if character.isspace():
            kept.append(" ")
        elif unicodedata.category(character) not in ("Cf", "Cc", "Cs", "Co", "Cn"):
            kept.append(character)
    return "".join(kept).translate(_EMOJI_LETTERS)


@functools.cache
def lookalikes() -> dict[int, str]:
    """Code points of other alphabets that look like an ASCII letter or digit (Unicode TR39's confusables)."""
    table: dict[int, str] = {}
    for character, similar in confusables.confusables_data.items():
        if len(character) != 1 or ord(character) < 128:
            continue
        if not unicodedata.name(character, "").startswith(_LOOKALIKE_SCRIPTS):
            continue
        for candidate in similar:
            form = str(candidate["c"])
            if len(form) == 1 and form.isascii() and form.isalnum():
                table[ord(character)] = form.lower()
                break
    return table
