"""What is left of a line once everything that was asked for is taken out of it, and how surely it says anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from gatepost_server.text.characters import is_han
from gatepost_server.text.folded import Folded
from gatepost_server.text.slips import GRAVE

# One Chinese character or two letters are an ornament read as text more often than a message.
_LEAST_HAN, _LEAST_LETTERS = 2, 3
_ROUND = frozenset("0o69eaq")  # what rows of beads, dots and petals are read as
_GAP = 1  # characters between two stretches that are told as one

# A line counts from the first confidence on, fully from the second. Where all that was asked for is there, a scrap is
# likelier an ornament: on cards of the dev split those are read with 0.5 to 0.85, text with 0.9 and more.
_SURE = (0.6, 0.85)
_SURE_WORD = (0.7, 0.9)
_SURE_SCRAP = (0.85, 0.97)
_WORD, _SCRAP = 8, 5  # letters; a Chinese character counts two
_SURE_CHARACTER = (0.85, 0.97)


@dataclass(slots=True)
class Line:
    """A drawn line. `known[i]`: text[i] was asked for; `changed[i]`: it stands in the place of what was."""

    folded: Folded
    confidence: float
    view: int
    known: list[bool]
    changed: list[bool]


@dataclass(frozen=True, slots=True)
class Remains:
    """folded.text[start:end] of a line, and how surely it is text that nobody asked for, 0 to 1."""

    start: int
    end: int
    score: float


def remains(line: Line, *, all_there: bool) -> list[Remains]:
    """The stretches of a line that say something of their own; `all_there` says that nothing asked for is missing."""
    known, changed, text = line.known, line.changed, line.folded.text
    found = []
    for start, end in _stretches(known):
        replaces = any(changed[start:end])
        turns = any(known) and not GRAVE.isdisjoint(text[start:end])
        if replaces or turns or says_something(text[start:end]):
            found.append(Remains(start, end, sure(line.confidence, weight(text), all_there=all_there)))
    return [one for one in found if one.score > 0.0]


def says_something(text: str) -> bool:
    """Whether folded text is more than an ornament."""
    return sum(map(is_han, text)) >= _LEAST_HAN or (len(text) >= _LEAST_LETTERS and not _ROUND.issuperset(text))


def weight(text: str) -> int:
    """Letters of a folded text; a Chinese character counts two."""
    return len(text) + sum(map(is_han, text))


def sure(confidence: float, letters: int, *, all_there: bool) -> float:
    """How surely a line of so many letters is text, 0 to 1."""
    if letters > _WORD:
        least, full = _SURE
    elif letters > _SCRAP:
        least, full = _SURE_WORD if all_there else _SURE
    else:
        least, full = _SURE_SCRAP if all_there else _SURE_WORD
    return ramp(confidence, least, full)


def sure_character(confidence: float) -> float:
    """The same of a line that is one Chinese character, where that says something."""
    return ramp(confidence, *_SURE_CHARACTER)


def ramp(value: float, least: float, full: float) -> float:
    """0 up to `least`, 1 from `full` on."""
    return min(1.0, max(0.0, (value - least) / (full - least)))


def _stretches(known: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Runs of what is not known; those that only a character parts are one."""
    runs: list[tuple[int, int]] = []
    place = 0
    for is_known, group in groupby(known):
        length = len(list(group))
        if not is_known:
            if runs and place - runs[-1][1] <= _GAP:
                runs[-1] = (runs[-1][0], place + length)
            else:
                runs.append((place, place + length))
        place += length
    yield from runs
