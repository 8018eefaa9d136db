"""Whole readings of a card: as many consecutive lines as a passage holds, to be judged by what they mean together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gatepost_server.text.characters import count_han, count_letters
from gatepost_server.text.reading_order import join
from gatepost_server.text.windows import Window

_LONGEST = 48.0  # Chinese characters; three Latin letters count as one. The encoder reads little more at once
_TERM = 3  # letters that an entry needs which no line holds: shorter ones meet by chance


def passages(texts: Sequence[str], order: Sequence[int]) -> Iterator[Window]:
    """One reading order cut into passages of two lines or more; lines without letters are left out."""
    passage: list[int] = []
    length = 0.0
    for index in order:
        if not count_letters(texts[index]):
            continue
        if passage and length + _length(texts[index]) > _LONGEST:
            yield from _window(texts, passage)
            passage, length = [], 0.0
        passage.append(index)
        length += _length(texts[index])
    yield from _window(texts, passage)


def _window(texts: Sequence[str], passage: Sequence[int]) -> Iterator[Window]:
    if len(passage) > 1:
        yield Window(tuple(passage), join(texts, passage), _TERM)


def _length(text: str) -> float:
    han = count_han(text)
    return han + (len(text) - han) / 3
