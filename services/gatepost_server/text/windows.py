"""Neighbouring lines to be read together: an insult may be split over lines, columns or single characters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gatepost_server.text.characters import count_han
from gatepost_server.text.reading_order import join

MAX_WINDOWS = 400  # of one view, or of one grid, that are worth scoring

# A phrase is at most this long, in Chinese characters; three Latin letters count as one.
_LONGEST = 24.0
_MANY_LINES = 4  # more lines than this are only read together when they are very short
_LONGEST_OF_MANY = 12.0
_SHORT = 2  # a line of at most two characters is a fragment

_FRAGMENTS_TERM = 2  # letters of a lexicon entry that fragments may spell
_LINES_TERM = 3  # letters that whole lines must spell: shorter ones meet by chance


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive lines of one reading order, as one text. `shortest_term`: see `chance_free`."""

    indices: tuple[int, ...]
    text: str
    shortest_term: int


def windows(texts: Sequence[str], orders: Sequence[Sequence[int]]) -> Iterator[Window]:
    """Distinct windows of two lines or more over all orders, the likeliest order's first. Texts are normalised."""
    seen: set[str] = set()
    for order in orders:
        filled = [index for index in order if texts[index]]
        for first in range(len(filled) - 1):
            for last in range(first + 1, len(filled)):
                indices = tuple(filled[first : last + 1])
                length = sum(_length(texts[index]) for index in indices)
                if length > (_LONGEST if len(indices) <= _MANY_LINES else _LONGEST_OF_MANY):
                    break
                text = join(texts, indices)
                if text not in seen:
                    seen.add(text)
                    fragments = all(len(texts[index]) <= _SHORT for index in indices)
                    yield Window(indices, text, _FRAGMENTS_TERM if fragments else _LINES_TERM)


def _length(text: str) -> float:
    han = count_han(text)
    return han + (len(text) - han) / 3
