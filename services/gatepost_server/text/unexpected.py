"""The spans of what nobody asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from gatepost_server.domain.asked import AskedSpan, SpanKind
from gatepost_server.domain.evidence import Point, TextLine
from gatepost_server.text.characters import is_han
from gatepost_server.text.folded import Folded, fold
from gatepost_server.text.outlines import part
from gatepost_server.text.reading_order import bounds
from gatepost_server.text.slips import GRAVE
from gatepost_server.text.strings import strings
from gatepost_server.text.unasked import Line, Remains, remains, sure_character

_SHORT = 2  # characters of a clause in whose place a single one may stand
_STRING = 3  # single characters that are a text beside all that was asked for; where something is missing, two are


def unexpected(
    lines: Sequence[TextLine], drawn: Sequence[Line], clauses: Sequence[Folded], found: Sequence[AskedSpan]
) -> Iterator[AskedSpan]:
    """What `drawn` (one for each of `lines`) says that is not known, given what was `found` of the clauses."""
    missing = [span for span in found if span.kind is SpanKind.MISSING]
    in_strings = list(_strings(lines, drawn, clauses, _STRING if not missing else 2))
    yield from in_strings
    taken = {index for span in in_strings for index in span.lines}
    short = any(len(fold(span.asked).text) <= _SHORT and any(map(is_han, span.asked)) for span in missing)
    for index, line in enumerate(drawn):
        text = line.folded.text
        left = remains(line, all_there=not missing)
        if _is_single(line) and (short or text in GRAVE):
            # 梅 where 囍 was asked for: one character is text where one was to be drawn. 死 says enough anywhere.
            left = [Remains(0, 1, sure_character(line.confidence))]
        for one in left if index not in taken else ():
            if one.score > 0.0:
                yield AskedSpan(
                    SpanKind.UNEXPECTED,
                    drawn=line.folded.drawn(one.start, one.end),
                    similarity=_closest(text[one.start : one.end], clauses),
                    score=one.score,
                    polygons=(outline(lines[index], line.folded, one.start, one.end),),
                    lines=(index,),
                )


def outline(line: TextLine, folded: Folded, start: int, end: int) -> tuple[Point, ...]:
    """Where folded.text[start:end] stands."""
    if (start, end) == (0, len(folded.text)):
        return line.polygon
    return part(line.polygon, folded.source, folded.origins[start], folded.origins[end - 1] + 1)


def _strings(
    lines: Sequence[TextLine], drawn: Sequence[Line], clauses: Sequence[Folded], least: int
) -> Iterator[AskedSpan]:
    """Text that was detected character by character: as surely text as its least sure character."""
    for view in sorted({line.view for line in drawn}):
        some = [i for i, line in enumerate(drawn) if line.view == view and sure_character(line.confidence) > 0.0]
        singles = [index for index in some if _is_single(drawn[index])]
        for run in strings([bounds(lines[index].polygon) for index in singles]):
            indices = [singles[place] for place in run]
            text = "".join(drawn[index].folded.text for index in indices)
            if len(indices) >= least and len(set(text)) > 1:  # a row of one ornament is read as one character
                yield AskedSpan(
                    SpanKind.UNEXPECTED,
                    drawn="".join(lines[index].text.strip() for index in indices),
                    similarity=_closest(text, clauses),
                    score=min(sure_character(drawn[index].confidence) for index in indices),
                    polygons=tuple(lines[index].polygon for index in indices),
                    lines=tuple(indices),
                )


def _is_single(line: Line) -> bool:
    """Whether a line is one Chinese character that nobody asked for."""
    return len(line.folded.text) == 1 and is_han(line.folded.text) and not line.known[0]


def _closest(text: str, clauses: Sequence[Folded]) -> float:
    """Similarity to the asked-for text that is most like it."""
    texts = [clause.text for clause in clauses]
    return float(process.extractOne(text, texts, scorer=Levenshtein.normalized_similarity)[1])
