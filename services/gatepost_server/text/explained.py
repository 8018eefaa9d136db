"""Which stretches of one drawn line show what was asked for, and which say something else in its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein, Opcode

from gatepost_server.text.characters import is_han
from gatepost_server.text.folded import Folded
from gatepost_server.text.slips import GRAVE, Fit, fit

_LEAST_HAN, _LEAST_LETTERS = 2, 3  # a shorter piece is none, unless it is a whole line
_PART_OF_A_WORD = 5  # letters from which on a piece may begin or end inside of words
# Unrelated texts share this much of their characters by chance.
_LIKE_HAN, _LIKE_LATIN = 0.5, 0.6
_MOST_PIECES = 12  # nested pieces of one line; a line made of more is no greeting
_SHARED = 0.5  # of the kinds of characters of one side; texts that share less are not compared
_SAME_LENGTH = 1.5  # texts of about one length are compared as wholes


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of asked-for text that may stand alone; `backwards`: the same from right to left, as on old banners."""

    folded: Folded
    backwards: Folded | None
    kinds: frozenset[str]

    @classmethod
    def of(cls, folded: Folded) -> Clause:
        """Only Chinese is ever read from right to left."""
        reverse = None
        if any(map(is_han, folded.text)):
            reverse = replace(folded, text=folded.text[::-1], origins=folded.origins[::-1], words=folded.words[::-1])
        return cls(folded, reverse, frozenset(folded.text))


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a line (fit.start to fit.end) beside a stretch of a clause, in the order of the clause's text."""

    clause: int
    fit: Fit


def pieces(line: Folded, confidence: float, clauses: Sequence[Clause]) -> list[Piece]:
    """What of `line` shows the clauses, without overlaps; `fit.changed` where it says something else in their place.

    A line may hold several clauses, a part of one, or either with something before and after.
    """
    return list(_pieces(line, confidence, (0, len(line.text)), clauses, _MOST_PIECES))


def _pieces(
    line: Folded, confidence: float, place: tuple[int, int], clauses: Sequence[Clause], most: int
) -> Iterator[Piece]:
    start, end = place
    if not most or end <= start:
        return
    found = [piece for piece in _candidates(line, confidence, place, clauses) if _is_piece(line, clauses, piece, place)]
    best = max(found, key=_worth, default=None)
    if best is None:
        return
    yield best
    yield from _pieces(line, confidence, (start, best.fit.start), clauses, most - 1)
    yield from _pieces(line, confidence, (best.fit.end, end), clauses, most - 1)


def _worth(piece: Piece) -> tuple[int, bool, int, int]:
    """What both texts share counts most."""
    found = piece.fit
    return found.same, not found.changed, found.end - found.start, -piece.clause


def _candidates(line: Folded, confidence: float, place: tuple[int, int], clauses: Sequence[Clause]) -> Iterator[Piece]:
    start, end = place
    drawn = line.text[start:end]
    kinds = frozenset(drawn)
    for number, clause in enumerate(clauses):
        if len(kinds & clause.kinds) < _SHARED * min(len(kinds), len(clause.kinds)):
            continue
        for asked in filter(None, (clause.folded, clause.backwards)):
            for own, wanted in _places(drawn, asked.text):
                trimmed = _trimmed(drawn, own, asked.text, wanted)
                if trimmed is None:
                    continue
                (a, b), wanted = trimmed
                fitted = fit(line, confidence, (start + a, start + b), asked, wanted)
                if asked is clause.backwards:
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


def _is_piece(line: Folded, clauses: Sequence[Clause], piece: Piece, place: tuple[int, int]) -> bool:
    """Whether it is more than chance: long enough, like enough, and whole words where it is short."""
    found, asked = piece.fit, clauses[piece.clause].folded
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
