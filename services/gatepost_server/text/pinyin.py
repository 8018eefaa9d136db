"""How Chinese text sounds: a view in which homophones and romanised spellings look the same."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import NamedTuple

from pypinyin import Style, lazy_pinyin

from gatepost_server.text.characters import HAN, is_han

_UNIT = re.compile(rf"[{HAN}]|[a-z]+|[0-9]+")


@functools.lru_cache(maxsize=16_384)
def syllable(character: str) -> str:
    """The toneless pinyin of one Chinese character in its usual reading ("" where none is known)."""
    read = lazy_pinyin(character, style=Style.NORMAL, errors="ignore")
    return read[0] if read else ""


@functools.cache
def syllables() -> frozenset[str]:
    """Every toneless syllable of GB 2312's characters that has two letters or more."""
    cells = (bytes((row, cell)) for row in range(0xB0, 0xF8) for cell in range(0xA1, 0xFF))
    common = "".join(cell.decode("gb2312", errors="ignore") for cell in cells)
    return frozenset(read for read in map(syllable, common) if len(read) >= 2)


@functools.lru_cache(maxsize=16_384)
def split_syllables(word: str) -> tuple[str, ...]:
    """A Latin word as pinyin syllables ("caonima" -> cao, ni, ma), or () where it is none; longest first."""
    known = syllables()

    def split(start: int) -> tuple[str, ...] | None:
        if start == len(word):
            return ()
        for end in range(min(len(word), start + 6), start + 1, -1):
            if word[start:end] in known:
                rest = split(end)
                if rest is not None:
                    return (word[start:end], *rest)
        return None

    return (split(0) or ()) if len(word) <= 24 else ()


class Unit(NamedTuple):
    """A syllable, word or number, the place of what it was written with, and whether that is a Latin spelling.

    Syllables of one Latin word share its place.
    """

    sound: str
    start: int
    end: int
    latin: bool


@functools.lru_cache(maxsize=512)
def units(normalized: str) -> tuple[Unit, ...]:
    """What a text sounds like: Chinese characters and Latin words that are pinyin as syllables; others stay."""
    found: list[Unit] = []
    for match in _UNIT.finditer(normalized):
        unit = match.group()
        if is_han(unit):
            found.append(Unit(syllable(unit) or unit, *match.span(), latin=False))
        else:
            found += [Unit(part, *match.span(), latin=True) for part in split_syllables(unit) or (unit,)]
    return tuple(found)


def sound(normalized: str) -> str:
    """The pinyin view: `units`, each between single spaces (" sha bi 2024 ")."""
    return spoken(units(normalized))


def spoken(some: Sequence[Unit]) -> str:
    """Units as one text."""
    return f" {' '.join(unit.sound for unit in some)} " if some else " "


def initials(text: str) -> str:
    """First letters of the syllables of Chinese characters ("你妈死了" -> "nmsl"); other characters are dropped."""
    return "".join(syllable(character)[:1] for character in text if is_han(character))
