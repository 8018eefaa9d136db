"""A policy's rules over columns: for each row true, false, or unknown, which the exact rule answers then.

Unknown is also what is an error in CEL. As there, && with a false side is false and || with a true side is true
whatever the other one is.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gatepost_server.domain.labels import CATEGORIES
from gatepost_server.rescan.replay.columns import Bools, Columns, Floats
from gatepost_server.rescan.replay.expressions import (
    Binary,
    Has,
    Node,
    Not,
    Number,
    OverLines,
    Path,
    Said,
    Size,
    Truth,
)

_COMPARED: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_RECKONED: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
_SAID: Mapping[str, Callable[[Any, str], Any]] = {
    "contains": pc.match_substring,
    "startsWith": pc.starts_with,
    "endsWith": pc.ends_with,
    "==": pc.equal,
}
_LINE_TEXTS = ("text", "normalized", "language")
_NAMES = tuple(category.value for category in CATEGORIES)
_WHOLE = ("width", "height", "frames", "pdq_quality")  # of `image`


@dataclass(frozen=True, slots=True)
class Cells:
    """Values, and which of them are not known. `whole` numbers are CEL's ints, with which nothing is reckoned here."""

    values: NDArray[Any]
    unknown: Bools
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """What paths mean for each of `count` rows, or for each line where `line` is what lines are called."""

    columns: Columns
    off_script: Floats
    expected_given: Bools
    line: str = ""

    @property
    def count(self) -> int:
        """How many cells there are."""
        return len(self.columns.lines.of) if self.line else self.columns.count


def holds(node: Node, scope: Scope) -> Cells:
    """What an expression is in each row, or in each line."""
    match node:
        case Number(value, whole):
            return Cells(np.full(scope.count, value), _none(scope), whole)
        case Truth(value):
            return Cells(np.full(scope.count, value), _none(scope))
        case Path(names):
            return _path(names, scope)
        case Size(Path(names)):
            return _size(names, scope)
        case Has(Path(("prompt", "similarity"))):
            return _of_row(~np.isnan(scope.columns.numbers("prompt_similarity")), scope)
        case Said(how, Path(names), value):
            texts = _texts(names, scope)
            return _nothing(scope) if texts is None else Cells(_bools(_SAID[how](texts, value)), _none(scope))
        case Not(of):
            inner = holds(of, scope)
            return _nothing(scope) if inner.values.dtype != bool else Cells(~inner.values, inner.unknown)
        case Binary(sign, left, right):
            return _binary(sign, holds(left, scope), holds(right, scope), scope)
        case OverLines(every, name, each) if not scope.line:
            return _over_lines(every, holds(each, replace(scope, line=name)), scope)
    return _nothing(scope)


def _none(scope: Scope) -> Bools:
    return np.zeros(scope.count, bool)


def _nothing(scope: Scope) -> Cells:
    return Cells(np.zeros(scope.count, bool), np.ones(scope.count, bool))


def _binary(sign: str, left: Cells, right: Cells, scope: Scope) -> Cells:
    unknown = left.unknown | right.unknown
    if sign in ("&&", "||"):
        if left.values.dtype != bool or right.values.dtype != bool:
            return _nothing(scope)
        decides = sign == "||"
        decided = ((left.values == decides) & ~left.unknown) | ((right.values == decides) & ~right.unknown)
        return Cells(np.where(decided, decides, not decides), unknown & ~decided)
    if (left.values.dtype == bool) != (right.values.dtype == bool):
        return _nothing(scope)
    if sign in _COMPARED:
        return Cells(_COMPARED[sign](left.values, right.values), unknown)
    if sign not in _RECKONED or left.whole or right.whole or left.values.dtype == bool:
        return _nothing(scope)
    with np.errstate(all="ignore"):
        return Cells(_RECKONED[sign](left.values, right.values), unknown)


def _over_lines(every: bool, each: Cells, scope: Scope) -> Cells:
    if each.values.dtype != bool:
        return _nothing(scope)
    lines = scope.columns.lines
    decided = lines.any((each.values != every) & ~each.unknown)
    return Cells(decided != every, lines.any(each.unknown) & ~decided)


def _of_row(values: NDArray[Any], scope: Scope, *, whole: bool = False, missing: Bools | None = None) -> Cells:
    """Values of rows, for each of their lines where those are looked at."""
    missing = np.zeros(len(values), bool) if missing is None else missing
    if scope.line:
        values, missing = values[scope.columns.lines.of], missing[scope.columns.lines.of]
    return Cells(values, missing, whole)


def _path(names: tuple[str, ...], scope: Scope) -> Cells:
    columns = scope.columns
    if scope.line and names[0] == scope.line:
        return _line_path(names[1:], scope)
    match names:
        case ("scores", "off_script") | ("off_script",):
            return _of_row(scope.off_script, scope)
        case ("scores", name) if name in _NAMES:
            return _of_row(columns.scores(name), scope)
        case ("text_scores", name) if name in _NAMES:
            lines = columns.lines.highest(columns.lines.numbers(f"scores.{name}"))
            return _of_row(np.maximum(lines, columns.numbers(f"joined_scores.{name}")), scope)
        case ("image_scores", name) if name in _NAMES:
            return _of_row(np.nan_to_num(columns.numbers(f"image_scores.{name}")), scope)
        case ("expected_given",):
            return _of_row(scope.expected_given, scope)
        case ("image", name) if name in _WHOLE:
            return _of_row(columns.numbers(name), scope, whole=True)
        case ("prompt", "similarity"):
            similarity = columns.numbers("prompt_similarity")
            return _of_row(similarity, scope, missing=np.isnan(similarity))
        case ("tightening",):  # rows with a conversation are judged by themselves
            return _of_row(np.ones(columns.count), scope)
        case ("turn_count",):
            return _of_row(np.zeros(columns.count), scope, whole=True)
    return _nothing(scope)


def _line_path(names: tuple[str, ...], scope: Scope) -> Cells:
    lines = scope.columns.lines
    match names:
        case ("confidence",):
            return Cells(lines.numbers("confidence"), _none(scope))
        case ("scores", name) if name in _NAMES:
            return Cells(np.nan_to_num(lines.numbers(f"scores.{name}")), _none(scope))
    return _nothing(scope)


def _texts(names: tuple[str, ...], scope: Scope) -> Any | None:
    """A text of each row or line, null for none; None where there are no such texts here."""
    columns = scope.columns
    if scope.line and names[0] == scope.line:
        return columns.lines.field(names[1]) if len(names) == 2 and names[1] in _LINE_TEXTS else None
    match names:
        case ("joined_text",):
            found = columns.column("joined_text")
        case ("image", "format"):
            found = columns.column("format")
        case _:
            return None
    return found.take(pa.array(columns.lines.of)) if scope.line else found


def _bools(array: Any) -> Bools:
    found: Bools = pc.fill_null(array, False).to_numpy(zero_copy_only=False).astype(bool)
    return found


def _size(names: tuple[str, ...], scope: Scope) -> Cells:
    columns = scope.columns
    if scope.line and names in ((scope.line, "text"), (scope.line, "normalized")):
        lengths = pc.utf8_length(columns.lines.field(names[1]))
        return Cells(lengths.to_numpy(zero_copy_only=False).astype(np.float64), _none(scope), whole=True)
    if names == ("joined_text",):
        lengths = pc.utf8_length(columns.column("joined_text")).fill_null(0)
        return _of_row(lengths.to_numpy(zero_copy_only=False).astype(np.float64), scope, whole=True)
    if names == ("lines",):
        counts = np.bincount(columns.lines.of, minlength=columns.count).astype(np.float64)
        return _of_row(counts, scope, whole=True)
    return _nothing(scope)


def columns_of(node: Node, line: str = "") -> Iterator[str]:
    """The columns, or leaves of them, that `holds` reads for an expression."""
    match node:
        case Path(names) | Size(Path(names)) | Has(Path(names)) | Said(_, Path(names), _):
            yield from _columns_of_path(names, line)
        case Not(of):
            yield from columns_of(of, line)
        case Binary(_, left, right):
            yield from columns_of(left, line)
            yield from columns_of(right, line)
        case OverLines(_, name, each):
            yield "lines.list.element.confidence"  # something of each line, so that lines can be counted
            yield from columns_of(each, name)


def _columns_of_path(names: tuple[str, ...], line: str) -> Iterator[str]:
    if line and names[0] == line:
        yield ".".join(("lines.list.element", *names[1:2]))
        return
    match names[0]:
        case "scores" | "image_scores" | "joined_text":
            yield names[0]
        case "text_scores":
            yield from ("joined_scores", "lines.list.element.scores")
        case "image":
            yield from (*_WHOLE, "format")
        case "prompt":
            yield "prompt_similarity"
        case "lines":
            yield "lines.list.element.confidence"
