"""How much of a line was asked for.

Similarity is 0 to 1 over normalised characters. It forgives what reading and layout do to a text (an OCR
slip, a line break, another order, traditional characters, punctuation, lost spaces) and nothing that
changes what it says.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from gatepost_server.text.characters import count_han
from gatepost_server.text.normalize import normalize

# From this similarity on a line says what was asked for: an OCR slip in a greeting of four characters leaves 0.75, and
# another greeting has at most 0.5 of it.
AS_EXPECTED = 0.75

_NOT_TEXT = re.compile(r"[\W_]+")

# Characters that OCR takes for one another. They are folded on both sides before comparing.
_SLIPS = str.maketrans("末巳己入土日0l1|", "未已已人士曰oiii")

# Characters that turn a wish round when they come in or go missing.
_REVERSALS = frozenset("不没无非勿莫未死亡丧葬坟鬼滚灭绝")
_REVERSED_AT_MOST = 0.4

# Unrelated English strings share about a third of their letters; that much counts as nothing.
_LATIN_CHANCE = 0.4

_MOST_PIECES = 12  # nested pieces of one line; a line made of more is no greeting

_WORTH_MATCHING = 0.5  # part of an expected text below this is no sign of it at all


@functools.lru_cache(maxsize=1_024)
def comparable(text: str) -> str:
    """A text's letters and digits only, normalised, with OCR look-alikes folded."""
    return _NOT_TEXT.sub("", normalize(text)).translate(_SLIPS)


def expected_similarity(line: str, expected: Sequence[str]) -> float:
    """Share of `line` (0 to 1) that the expected texts account for; 0 when nothing was expected.

    A line may be a piece of one expected text or hold several of them, read in either direction.
    """
    return _best(comparable(line), tuple(text for text in map(comparable, expected) if text))


def similarities(texts: Sequence[str], expected: Sequence[str], orders: Sequence[Sequence[int]]) -> list[float]:
    """`expected_similarity` of every line, where lines that spell an expected text together count as it.

    `orders` are reading orders of the lines' indices: a text may be broken into pieces that say nothing alone.
    """
    wanted = tuple(text for text in map(comparable, expected) if text)
    lines = [comparable(text) for text in texts]
    found = [_best(line, wanted) for line in lines]
    if all(value > _REVERSED_AT_MOST for value in found):
        return found
    for order in orders:
        for target in wanted:
            for index, value in _pieces(lines, order, target).items():
                found[index] = max(found[index], value)
    return found


def _best(line: str, expected: tuple[str, ...]) -> float:
    if not line or not expected:
        return 0.0
    return max(_accounted(line, expected), _accounted(line[::-1], expected)) / len(line)


def _accounted(line: str, expected: tuple[str, ...], depth: int = 0) -> float:
    """How many characters of `line` the expected texts explain, as a sum of length times similarity."""
    best, start, end = max((_place(line, target) for target in expected), default=(0.0, 0, 0))
    if best < _WORTH_MATCHING or end <= start:
        return 0.0
    rest = (line[:start], line[end:]) if depth < _MOST_PIECES else ()
    return best * (end - start) + sum(_accounted(part, expected, depth + 1) for part in rest if len(part) >= 2)


def _place(line: str, target: str) -> tuple[float, int, int]:
    """Similarity of the shorter string's best place in the longer one, and its span in `line`."""
    if len(line) <= len(target):
        found = fuzz.partial_ratio_alignment(line, target)
        if found is None:
            return 0.0, 0, 0
        return _similar(line, target[found.dest_start : found.dest_end]), 0, len(line)
    found = fuzz.partial_ratio_alignment(target, line)
    if found is None:
        return 0.0, 0, 0
    return _similar(line[found.dest_start : found.dest_end], target), found.dest_start, found.dest_end


def _similar(left: str, right: str) -> float:
    similarity = float(Levenshtein.normalized_similarity(left, right))
    if not count_han(left):
        return max(0.0, (similarity - _LATIN_CHANCE) / (1.0 - _LATIN_CHANCE))
    changed = {
        character
        for edit in Levenshtein.opcodes(left, right)
        if edit.tag != "equal"
        for character in left[edit.src_start : edit.src_end] + right[edit.dest_start : edit.dest_end]
    }
    return min(similarity, _REVERSED_AT_MOST) if changed & _REVERSALS else similarity


def _pieces(lines: Sequence[str], order: Sequence[int], target: str) -> dict[int, float]:
    """Lines that follow one another in `order` and together spell `target`, with its similarity for each."""
    if not target:
        return {}
    pieces: dict[int, float] = {}
    for first in range(len(order)):
        spelled = ""
        for last in range(first, len(order)):
            spelled += lines[order[last]]
            if len(spelled) > len(target) * 1.3 + 1:
                break
            if last > first and len(spelled) >= len(target) * 0.7:
                value = _similar(spelled, target)
                if value >= 0.7:
                    for index in order[first : last + 1]:
                        pieces[index] = max(pieces.get(index, 0.0), value)
    return pieces
