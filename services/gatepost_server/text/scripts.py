"""Which scripts a text is written in, as ISO 15924 codes ("Hani", "Latn", "Cyrl")."""

from __future__ import annotations

import functools
import unicodedata
from collections import Counter
from collections.abc import Mapping

from fontTools.unicodedata import script, script_name

# What the shipped text models and lexicons judge.
JUDGED_SCRIPTS = frozenset({"Hani", "Latn"})

_OF_NO_SCRIPT = frozenset({"Zyyy", "Zinh", "Zzzz"})  # common, inherited, unknown: digits, signs, emoji


def count_scripts(text: str) -> Mapping[str, int]:
    """Letters by script. Full-width, circled and mathematical letters count as what they are forms of."""
    letters = (character for character in unicodedata.normalize("NFKC", text) if character.isalpha())
    return Counter(code for code in map(_script, letters) if code not in _OF_NO_SCRIPT)


def is_script(code: str) -> bool:
    """Whether ISO 15924 has such a code, as Unicode knows it."""
    return code not in _OF_NO_SCRIPT and script_name(code, default="") != ""


@functools.lru_cache(maxsize=65_536)
def _script(character: str) -> str:
    return str(script(character))
