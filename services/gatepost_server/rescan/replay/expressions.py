"""CEL expressions as trees, for the part of CEL that columns can answer; everything else is Unknown.

The grammar is CEL's (https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax). A rule has been compiled
and type-checked by the policy's own engine before it comes here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""\s*(?://[^\n]*\s*)*(?:
    (?P<number>\d+\.\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|0x[0-9a-fA-F]+u?|\d+u?)
    |(?P<text>[rRbB]{0,2}(?:\"{3}(?s:.*?)\"{3}|'{3}(?s:.*?)'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<name>[A-Za-z_]\w*)
    |(?P<sign>&&|\|\||[<>=!]=|[-+*/%<>!?:.,()\[\]{}]))""",
    re.VERBOSE,
)
_PLAIN = re.compile(r"""'[^'\\]+'|"[^"\\]+\"""")
_SAFE_INTEGER = 1 << 31  # below it, doubles and integers compare alike


@dataclass(frozen=True, slots=True)
class Unknown:
    """What columns cannot answer."""


@dataclass(frozen=True, slots=True)
class Number:
    """A literal. `whole` is an int."""

    value: float
    whole: bool


@dataclass(frozen=True, slots=True)
class Truth:
    """true or false."""

    value: bool


@dataclass(frozen=True, slots=True)
class Text:
    """A literal, written without escapes."""

    value: str


@dataclass(frozen=True, slots=True)
class Path:
    """A variable and the keys below it."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Size:
    """The length of a text."""

    of: Node


@dataclass(frozen=True, slots=True)
class Has:
    """Whether the last key of a path is there."""

    of: Node


@dataclass(frozen=True, slots=True)
class Said:
    """A text held against a literal: contains, startsWith, endsWith or ==."""

    how: str
    of: Path
    value: str


@dataclass(frozen=True, slots=True)
class Not:
    """Negation."""

    of: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """&&, ||, a comparison, or arithmetic."""

    sign: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class OverLines:
    """lines.exists(name, holds) or lines.all(name, holds)."""

    every: bool
    name: str
    holds: Node


Node = Unknown | Number | Truth | Text | Path | Size | Has | Said | Not | Binary | OverLines


def parse(expression: str) -> Node:
    """The tree. Unknown as a whole where the expression is written in a way that is not understood here."""
    try:
        return _Reader(expression).whole()
    except _NotUnderstoodError:
        return Unknown()


class _NotUnderstoodError(Exception):
    pass


class _Reader:
    def __init__(self, expression: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        place, end = 0, len(re.sub(r"(?:\s|//[^\n]*(?:\n|$))*\Z", "", expression))
        while place < end:
            found = _TOKEN.match(expression, place)
            if found is None or found.lastgroup is None:
                raise _NotUnderstoodError
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            place = found.end()
        self._next = 0

    def whole(self) -> Node:
        node = self._expression()
        if self._next != len(self._tokens):
            raise _NotUnderstoodError
        return node

    def _sees(self, *signs: str) -> str | None:
        """Takes one of `signs` where it comes next."""
        if self._next < len(self._tokens) and self._tokens[self._next] in {("sign", sign) for sign in signs}:
            self._next += 1
            return self._tokens[self._next - 1][1]
        return None

    def _must(self, sign: str) -> None:
        if self._sees(sign) is None:
            raise _NotUnderstoodError

    def _expression(self) -> Node:
        node = self._binary(0)
        if self._sees("?"):
            self._binary(0)
            self._must(":")
            self._expression()
            return Unknown()
        return node

    _LEVELS = (("||",), ("&&",), ("<=", "<", ">=", ">", "==", "!="), ("+", "-"), ("*", "/", "%"))

    def _binary(self, level: int) -> Node:
        if level == len(self._LEVELS):
            return self._unary()
        node = self._binary(level + 1)
        while sign := self._sees(*self._LEVELS[level]):
            node = _joined(sign, node, self._binary(level + 1))
        return node

    def _unary(self) -> Node:
        if self._sees("!"):
            return Not(self._unary())
        if self._sees("-"):
            node = self._unary()
            return Number(-node.value, node.whole) if isinstance(node, Number) else Unknown()
        return self._member()

    def _member(self) -> Node:
        node = self._primary()
        while sign := self._sees(".", "["):
            if sign == "[":
                self._expression()
                self._must("]")
                node = Unknown()
                continue
            name = self._name()
            if self._sees("("):
                node = _called(node, name, self._list(")"))
            else:
                node = Path((*node.names, name)) if isinstance(node, Path) else Unknown()
        return node

    def _primary(self) -> Node:
        if self._sees("("):
            node = self._expression()
            self._must(")")
            return node
        if self._sees("["):
            self._list("]")
            return Unknown()
        if self._next >= len(self._tokens):
            raise _NotUnderstoodError
        kind, text = self._tokens[self._next]
        if kind == "sign":
            raise _NotUnderstoodError
        self._next += 1
        if kind == "number":
            return _number(text)
        if kind == "text":
            return Text(text[1:-1]) if _PLAIN.fullmatch(text) else Unknown()
        if self._sees("("):
            arguments = self._list(")")
            return _called(None, text, arguments)
        return Truth(text == "true") if text in ("true", "false") else Path((text,))

    def _name(self) -> str:
        if self._next < len(self._tokens) and self._tokens[self._next][0] == "name":
            self._next += 1
            return self._tokens[self._next - 1][1]
        raise _NotUnderstoodError

    def _list(self, end: str) -> list[Node]:
        found: list[Node] = []
        while not self._sees(end):
            if found:
                self._must(",")
            found.append(self._expression())
        return found


def _number(text: str) -> Node:
    if text.endswith("u") or text.startswith("0x"):
        return Unknown()
    whole = text.isdigit()
    value = float(text)
    return Unknown() if whole and abs(value) >= _SAFE_INTEGER else Number(value, whole)


def _joined(sign: str, left: Node, right: Node) -> Node:
    match sign, left, right:
        case ("==", Path() as path, Text(value)) | ("==", Text(value), Path() as path):
            return Said("==", path, value)
        case ("!=", Path() as path, Text(value)) | ("!=", Text(value), Path() as path):
            return Not(Said("==", path, value))
    return Binary(sign, left, right)


def _called(of: Node | None, name: str, arguments: list[Node]) -> Node:
    match of, name, arguments:
        case (None, "has", [Path() as path]):
            return Has(path)
        case (None, "size", [Path() as path]) | (Path() as path, "size", []):
            return Size(path)
        case (Path() as path, "contains" | "startsWith" | "endsWith", [Text(value)]):
            return Said(name, path, value)
        case (Path(("lines",)), "exists" | "all", [Path((variable,)), holds]):
            return OverLines(name == "all", variable, holds)
    return Unknown()
