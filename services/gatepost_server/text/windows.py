"""Neighbouring lines to be read together: an insult may be split over lines, columns or single characters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gatepost_server.text.characters import HAN, count_han, count_letters
from gatepost_server.text.reading_order import join

MAX_WINDOWS = 1_200  # of one view, or of one grid, that are scored: some twenty stray characters make 400

# A phrase is at most this long, in Chinese characters; three Latin letters count as one.
_LONGEST = 24.0
_MANY_LINES = 4  # more lines than this are only read together when they are very short
_LONGEST_OF_MANY = 12.0
_REACH = 12.0  # of a line too long for that, to either side of a break: prose wraps inside a phrase
_SHORT = 2  # a line of at most two characters is a fragment

_FRAGMENTS_TERM = 2  # letters of a lexicon entry that fragments, or prose around a break, may spell
_LINES_TERM = 3  # letters that whole lines must spell: shorter ones meet by chance

_UNIT = re.compile(rf"[{HAN}]|[^\s{HAN}]+|\s+")  # what a cut leaves whole


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive lines of one reading order, as one text; of two long lines, what stands around their break.

    An entry of the lexicon that no line holds needs `shortest_term` characters to be more than chance.
    """

    indices: tuple[int, ...]
    text: str
    shortest_term: int
    cut: tuple[str, ...] = ()  # the ends of the two long lines; empty where whole lines are read


def windows(texts: Sequence[str], orders: Sequence[Sequence[int]]) -> Iterator[Window]:
    """Distinct windows of two lines or more over all orders, the likeliest order's first. Texts are normalised."""
    seen: set[str] = set()
    for order in orders:
        filled = [index for index in order if count_letters(texts[index])]  # stars and dots are no text
        for first in range(len(filled) - 1):
            for last in range(first + 1, len(filled)):
                indices = tuple(filled[first : last + 1])
                length = sum(_length(texts[index]) for index in indices)
                fits = length <= (_LONGEST if len(indices) <= _MANY_LINES else _LONGEST_OF_MANY)
                if not fits and len(indices) > 2:
                    break
                cut = () if fits else (_last(texts[indices[0]]), _first(texts[indices[1]]))
                text = join(cut, (0, 1)) if cut else join(texts, indices)
                if text not in seen:
                    seen.add(text)
                    believed = bool(cut) or all(len(texts[index]) <= _SHORT for index in indices)
                    yield Window(indices, text, _FRAGMENTS_TERM if believed else _LINES_TERM, cut)
                if not fits:
                    break


def _first(text: str) -> str:
    return "".join(_reach(_UNIT.findall(text)))


def _last(text: str) -> str:
    return "".join(reversed(_reach(reversed(_UNIT.findall(text)))))


def _reach(units: Iterable[str]) -> list[str]:
    """The first units that hold `_REACH` together, one at least."""
    reached: list[str] = []
    length = 0.0
    for unit in units:
        length += _length(unit)
        if reached and length > _REACH:
            break
        reached.append(unit)
    return reached


def _length(text: str) -> float:
    han = count_han(text)
    return han + (len(text) - han) / 3
