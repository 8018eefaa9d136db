"""Asked-for text held against drawn lines: what is matched, what is missing, and what nobody asked for.

1. Every line alone: it may show a clause of an asked-for text, a part of one, or several (text.explained).
2. Grids of characters are read across their lines as well (text.grids).
3. Lines together, in the orders in which people may read them: a clause may be broken into single letters.
4. What is left of the lines says something that nobody asked for, if it says anything and was surely read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gatepost_server.domain.asked import AskedSpan, SpanKind
from gatepost_server.domain.evidence import TextLine
from gatepost_server.text.explained import Script, pieces
from gatepost_server.text.folded import Folded, clauses_of, fold
from gatepost_server.text.grids import grids
from gatepost_server.text.reading_order import bounds, reading_orders
from gatepost_server.text.unasked import Line
from gatepost_server.text.unexpected import outline, unexpected

AS_ASKED = 0.75  # of a clause must be found: a slip in a wish of four characters leaves so much

_READ = 0.3  # confidence from which on a line may show what was asked for
_MOST_CLAUSES = 128  # of all texts; where there are more, whole texts are compared
_LONGEST_LINE = 500  # characters of one line that are compared
_BROKEN = 24  # characters of a clause that may be broken into single letters
_LETTERS = str.maketrans("01l5", "oiis")  # as single letters are read that stand alone


@dataclass(slots=True)
class _Shown:
    """What one view shows of one clause: which of its characters, how well, and where."""

    characters: list[bool]
    same: int = 0
    of: int = 0
    places: list[tuple[int, int, int]] = field(default_factory=list)  # line, and start and end in its folded text

    @property
    def share(self) -> float:
        """Of the clause's characters, 0 to 1."""
        return sum(self.characters) / len(self.characters)

    @property
    def similarity(self) -> float:
        """The share, less the slips in it."""
        return self.share * (min(1.0, self.same / self.of) if self.of else 0.0)

    def add(self, start: int, end: int, same: int, places: Sequence[tuple[int, int, int]]) -> None:
        """Take in a piece of the clause, and where it stands."""
        self.characters[start:end] = [True] * (end - start)
        self.same += same
        self.of += end - start
        self.places += places


def held_against(lines: Sequence[TextLine], asked: Sequence[str]) -> list[AskedSpan]:
    """All spans: matched and missing ones in the order of `asked`, then what is unexpected in the order of `lines`.

    [] where nothing that can be compared was asked for. The views of an image (frames, backgrounds) are read one by
    one; a text that any of them shows is not missing.
    """
    clauses = _clauses(asked)
    if not clauses:
        return []
    script, drawn = Script(clauses), [_line(line) for line in lines]
    shown = [_Shown([False] * len(clause.text)) for clause in clauses]
    _line_by_line(drawn, script, shown)
    _over_breaks(drawn, asked)
    for view in sorted({line.view for line in drawn}):
        members = [index for index, line in enumerate(drawn) if line.view == view and line.confidence >= _READ]
        _across(lines, drawn, members, script, shown)
        _together(lines, drawn, members, clauses, shown)
    found = [_of_clause(clause, one, lines, drawn) for clause, one in zip(clauses, shown, strict=True)]
    return [*found, *unexpected(lines, drawn, clauses, found)]


def _clauses(asked: Sequence[str]) -> list[Folded]:
    """Each clause once."""
    split = [clause for text in asked for clause in clauses_of(text)]
    if len(split) > _MOST_CLAUSES:
        split = [folded for text in asked if (folded := fold(text)).text]
    return list({clause.text: clause for clause in split}.values())


def _line(line: TextLine) -> Line:
    folded = fold(line.text[:_LONGEST_LINE])
    size = len(folded.text)
    return Line(folded, line.confidence, line.view, [False] * size, [False] * size)


def _line_by_line(drawn: Sequence[Line], script: Script, shown: Sequence[_Shown]) -> None:
    for index, line in enumerate(drawn):
        if line.confidence < _READ:
            continue
        for piece in pieces(line.folded, line.confidence, script):
            fit = piece.fit
            marks = line.changed if fit.changed else line.known
            marks[fit.start : fit.end] = [True] * (fit.end - fit.start)
            if not fit.changed:
                shown[piece.clause].add(fit.asked_start, fit.asked_end, fit.same, [(index, fit.start, fit.end)])


def _over_breaks(drawn: Sequence[Line], asked: Sequence[str]) -> None:
    """A line may hold the end of one clause and the beginning of the next: 家，幸 of 搬进新家，幸福敲门."""
    whole = [text for text in (fold(each).text for each in asked) if len(text) > 1]
    for line in drawn:
        text = line.folded.text
        if len(text) > 1 and not any(line.known) and any(text in each for each in whole):
            line.known[:] = [True] * len(text)


def _across(
    lines: Sequence[TextLine],
    drawn: Sequence[Line],
    members: Sequence[int],
    script: Script,
    shown: Sequence[_Shown],
) -> None:
    """A line of a grid is known where everything that is read across it was asked for."""
    boxes = [bounds(lines[index].polygon) for index in members]
    for grid in grids(boxes, [lines[index].text for index in members]):
        readings = [fold(text) for text in grid.readings]
        least = min(drawn[members[line]].confidence for line in grid.members)
        found = [pieces(reading, least, script) for reading in readings]
        asked = [
            sum(one.fit.end - one.fit.start for one in some if not one.fit.changed) == len(reading.text)
            for reading, some in zip(readings, found, strict=True)
        ]
        for line in grid.members:
            if not all(told for told, through in zip(asked, grid.through, strict=True) if line in through):
                continue
            one = drawn[members[line]]
            one.known[:] = [True] * len(one.known)
            one.changed[:] = [False] * len(one.changed)
        for told, some, through in zip(asked, found, grid.through, strict=True):
            whole = [(members[line], 0, len(drawn[members[line]].folded.text)) for line in sorted(through)]
            for piece in some if told else ():
                shown[piece.clause].add(piece.fit.asked_start, piece.fit.asked_end, piece.fit.same, whole)


def _together(
    lines: Sequence[TextLine],
    drawn: Sequence[Line],
    members: Sequence[int],
    clauses: Sequence[Folded],
    shown: Sequence[_Shown],
) -> None:
    """Clauses that no line shows, in lines that follow one another and hold nothing but letters of the clause."""
    for clause, one in zip(clauses, shown, strict=True):
        if one.share >= AS_ASKED or len(clause.text) > _BROKEN:
            continue
        letters = set(clause.text.translate(_LETTERS))
        some = [index for index in members if (text := _letters(drawn[index])) and letters.issuperset(text)]
        boxes = [bounds(lines[index].polygon) for index in some]
        for order in reading_orders(boxes, [lines[index].text for index in some]):
            if _spelled(drawn, [some[place] for place in order], clause, one):
                break


def _spelled(drawn: Sequence[Line], order: Sequence[int], clause: Folded, one: _Shown) -> bool:
    """Whether the lines of `order`, read one after another, show the whole clause; if so they are known."""
    places = [(index, place) for index in order for place in range(len(drawn[index].folded.text))]
    text = "".join(_letters(drawn[index])[place] for index, place in places)
    start = text.find(clause.text.translate(_LETTERS))
    if start < 0:
        return False
    spelled = places[start : start + len(clause.text)]
    for index, place in spelled:
        drawn[index].known[place] = True
        drawn[index].changed[place] = False
    runs = {index: [place for other, place in spelled if other == index] for index, _ in spelled}
    whole = [(index, min(some), max(some) + 1) for index, some in runs.items()]
    one.places.clear()
    one.add(0, len(clause.text), len(clause.text), whole)
    return True


def _letters(line: Line) -> str:
    return line.folded.text.translate(_LETTERS)


def _of_clause(clause: Folded, shown: _Shown, lines: Sequence[TextLine], drawn: Sequence[Line]) -> AskedSpan:
    asked = clause.source
    if shown.share < AS_ASKED:
        return AskedSpan(SpanKind.MISSING, asked=asked, similarity=shown.similarity)
    places = sorted(set(shown.places))
    return AskedSpan(
        SpanKind.MATCHED,
        asked=asked,
        drawn=" ".join(drawn[index].folded.drawn(start, end) for index, start, end in places),
        similarity=shown.similarity,
        polygons=tuple(outline(lines[index], drawn[index].folded, start, end) for index, start, end in places),
        lines=tuple(index for index, _, _ in places),
    )
