"""Dots, petals and borders that OCR reads as letters: many single characters, and nearly all of them alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

_MANY = 24  # single characters; fewer may be a word written from top to bottom
_MOSTLY = 0.6  # part of them that is alike: of letters that spell something, a third at most looks round
_AGAIN = 8  # times that a character comes before it is a pattern by itself
_ROUND = frozenset("oecaqgd0689@φ●•·○◯〇")  # what rings and dots are read as


def pattern(texts: Sequence[str]) -> frozenset[int]:
    """Indices of the normalised readings that are a pattern; none where the single characters may spell something."""
    bare = (text.strip(" .,:;") for text in texts)
    single = {index: character for index, character in enumerate(bare) if len(character) == 1}
    if len(single) < _MANY:
        return frozenset()
    times = Counter(single.values())
    alike = [index for index, one in single.items() if one in _ROUND or times[one] >= _AGAIN]
    return frozenset(alike) if len(alike) >= _MOSTLY * len(single) else frozenset()
