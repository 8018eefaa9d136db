"""Which stretches of one drawn line show what was asked for, and which say something else in its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rapidfuzz import fuzz, process
from rapidfuzz.distance import Levenshtein, Opcode

from gatepost_server.text.characters import is_han
from gatepost_server.text.folded import Folded
from gatepost_server.text.slips import GRAVE, Fit, fit

_LEAST_HAN, _LEAST_LETTERS = 2, 3  # a shorter piece is none, unless it is a whole line
_PART_OF_A_WORD = 5  # letters from which on a piece may begin or end inside of words
# Unrelated texts share this much of their characters by chance.
_LIKE_HAN, _LIKE_LATIN = 0.5, 0.6
_MOST_PIECES = 12  # of one line; a line made of more is no greeting
_WORTH_COMPARING = 40.0  # rapidfuzz's partial ratio, 0 to 100
_MOST_COMPARED = 6  # texts that are most like a stretch of a line
_SAME_LENGTH = 1.5  # texts of about one length are compared as wholes


class Script:
    """Clauses of asked-for text to be looked for; Chinese ones from right to left as well, as on old banners."""

    def __init__(self, clauses: Sequence[Folded]) -> None:
        self.clauses = tuple(clauses)
        readings = [(number, clause, False) for number, clause in enumerate(self.clauses)]
        readings += [
            (number, _reversed(clause), True) for number, clause, _ in readings if any(map(is_han, clause.text))
        ]
        self._readings = readings
        self._texts = [reading.text for _, reading, _ in readings]

    def like(self, drawn: str) -> Iterator[tuple[int, Folded, bool]]:
        """(number of the clause, its text, whether that is backwards) of those that are most like `drawn`."""
        found = process.extract(
            drawn, self._texts, scorer=fuzz.partial_ratio, score_cutoff=_WORTH_COMPARING, limit=_MOST_COMPARED
        )
        return (self._readings[place] for _, _, place in found)


def _reversed(folded: Folded) -> Folded:
    return replace(folded, text=folded.text[::-1], origins=folded.origins[::-1], words=folded.words[::-1])


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a line (fit.start to fit.end) beside a stretch of a clause, in the order of the clause's text."""

    clause: int
    fit: Fit


def pieces(line: Folded, confidence: float, script: Script) -> list[Piece]:
    """What of `line` shows clauses, without overlaps; `fit.changed` where it says something else in their place.

    A line may hold several clauses, a part of one, or either with something before and after.
    """
    found: list[Piece] = []
    open_: list[tuple[int, int]] = [(0, len(line.text))]
    while open_ and len(found) < _MOST_PIECES:
        place = open_.pop()
        some = _candidates(line, confidence, place, script) if place[0] < place[1] else ()
        best = max((piece for piece in some if _is_piece(line, script, piece, place)), key=_worth, default=None)
        if best is not None:
            found.append(best)
            open_ += [(best.fit.end, place[1]), (place[0], best.fit.start)]
    return found


def _worth(piece: Piece) -> tuple[int, bool, int, int]:
    """What both texts share counts most."""
    found = piece.fit
    return found.same, not found.changed, found.end - found.start, -piece.clause


def _candidates(line: Folded, confidence: float, place: tuple[int, int], script: Script) -> Iterator[Piece]:
    start, end = place
    drawn = line.text[start:end]
    for number, asked, backwards in script.like(drawn):
        for own, wanted in _places(drawn, asked.text):
            trimmed = _trimmed(drawn, own, asked.text, wanted)
            if trimmed is None:
                continue
            (a, b), wanted = trimmed
            fitted = fit(line, confidence, (start + a, start + b), asked, wanted)
            if backwards:
                whole = len(asked.text)
                fitted = replace(fitted, asked_start=whole - wanted[1], asked_end=whole - wanted[0])
            yield Piece(number, fitted)


def _places(drawn: str, asked: str) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Where the shorter one fits the longer one best; of texts of about one length both as wholes, too."""
    if len(drawn) <= len(asked):
        found = fuzz.partial_ratio_alignment(drawn, asked)
        if found is not None:
            yield (0, len(drawn)), _window(found.dest_start, found.dest_end, len(drawn), len(asked))
    else:
        found = fuzz.partial_ratio_alignment(asked, drawn)
        if found is not None:
            yield _window(found.dest_start, found.dest_end, len(asked), len(drawn)), (0, len(asked))
    if max(len(drawn), len(asked)) <= _SAME_LENGTH * min(len(drawn), len(asked)):
        yield (0, len(drawn)), (0, len(asked))


def _window(start: int, end: int, length: int, within: int) -> tuple[int, int]:
    """So much of the longer text as the shorter one has; at its ends rapidfuzz finds less."""
    if end == within:
        start = within - length
    return start, start + length


def _trimmed(
    drawn: str, own: tuple[int, int], asked: str, wanted: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Both places without what only one side has at their ends, and without long ends that have nothing in common."""
    edits = list(Levenshtein.opcodes(drawn[slice(*own)], asked[slice(*wanted)]))
    left = drawn[slice(*own)]
    while edits and _falls_off(edits[0], left):
        edits.pop(0)
    while edits and _falls_off(edits[-1], left):
        edits.pop()
    if not edits:
        return None
    first, last = edits[0], edits[-1]
    return (
        (own[0] + first.src_start, own[0] + last.src_end),
        (wanted[0] + first.dest_start, wanted[0] + last.dest_end),
    )


def _falls_off(edit: Opcode, drawn: str) -> bool:
    """Whether an edit at an end leaves two texts apart, each long enough to be judged by itself."""
    lost = drawn[edit.src_start : edit.src_end]
    alone = _LEAST_HAN if any(map(is_han, lost)) else _LEAST_LETTERS
    shorter = min(len(lost), edit.dest_end - edit.dest_start)
    return edit.tag in ("insert", "delete") or (edit.tag == "replace" and shorter >= alone)


def _is_piece(line: Folded, script: Script, piece: Piece, place: tuple[int, int]) -> bool:
    """Whether it is more than chance: long enough, like enough, and whole words where it is short."""
    found, asked = piece.fit, script.clauses[piece.clause]
    text = line.text[found.start : found.end]
    han = sum(map(is_han, text))
    whole_line = (found.start, found.end) == (0, len(line.text)) and GRAVE.isdisjoint(text)
    whole_clause = (found.asked_start, found.asked_end) == (0, len(asked.text))
    if found.similarity < (_LIKE_HAN if han else _LIKE_LATIN) or _cuts_a_word(line, asked, found):
        return False
    if whole_line or (whole_clause and (found.start, found.end) == place):
        return True
    if han >= _LEAST_HAN or (han and whole_clause):
        return True
    if len(text) < _LEAST_LETTERS or han:
        return False
    if len(text) >= _PART_OF_A_WORD or whole_clause:
        return True
    return _are_words(line, found.start, found.end) and _are_words(asked, found.asked_start, found.asked_end)


def _cuts_a_word(line: Folded, asked: Folded, found: Fit) -> bool:
    """Whether both texts go on inside of a word, each in its own way: dea-d where dea-r was asked for."""
    before = not _begins(line, found.start) and not _begins(asked, found.asked_start)
    return before or (not _begins(line, found.end) and not _begins(asked, found.asked_end))


def _begins(folded: Folded, place: int) -> bool:
    """Whether no word goes on at `place`."""
    words = folded.words
    return place in (0, len(words)) or words[place - 1] != words[place]


def _are_words(folded: Folded, start: int, end: int) -> bool:
    """Whether a stretch begins and ends where words do."""
    return _begins(folded, start) and _begins(folded, end)
