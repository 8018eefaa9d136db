"""What of CEL columns can answer, and that everything else is left to CEL."""

from __future__ import annotations

import pytest

from gatepost_server.rescan.replay.expressions import (
    Binary,
    Has,
    Not,
    Number,
    OverLines,
    Path,
    Said,
    Size,
    Text,
    Truth,
    Unknown,
    parse,
)

A, B = Path(("scores", "hate")), Path(("off_script",))


@pytest.mark.parametrize(
    ("expression", "tree"),
    [
        ("off_script >= 0.5", Binary(">=", B, Number(0.5, False))),
        ("a || b && c", Binary("||", Path(("a",)), Binary("&&", Path(("b",)), Path(("c",))))),
        ("(a || b) && !c", Binary("&&", Binary("||", Path(("a",)), Path(("b",))), Not(Path(("c",))))),
        ("a - b - c", Binary("-", Binary("-", Path(("a",)), Path(("b",))), Path(("c",)))),
        ("scores . hate // so\n < 1e-3 // end", Binary("<", A, Number(0.001, False))),
        ("turn_count > -1", Binary(">", Path(("turn_count",)), Number(-1.0, True))),
        ("has(prompt.similarity)", Has(Path(("prompt", "similarity")))),
        ("size(joined_text) == 2", Binary("==", Size(Path(("joined_text",))), Number(2.0, True))),
        ("lines.all(l, true)", OverLines(True, "l", Truth(True))),
        ("joined_text.contains('新 年')", Said("contains", Path(("joined_text",)), "新 年")),
        ("'a' != locale", Not(Said("==", Path(("locale",)), "a"))),
    ],
)
def test_the_grammar_is_cels(expression, tree):
    assert parse(expression) == tree


@pytest.mark.parametrize(
    "expression",
    [
        "'app' in labels",
        "a ? b : c",
        "labels['app'] == 'x'",
        "[1, 2].exists(x, x > 1)",
        "joined_text.matches('a+')",
        "0x10",
        "3000000000",
        "-a",
        "",
        "a b",
        "(a",
    ],
)
def test_what_is_not_understood_is_unknown_and_no_mistake(expression):
    found = parse(expression)
    assert found == Unknown() or (isinstance(found, Binary) and Unknown() in (found.left, found.right))


def test_a_text_with_escapes_is_left_to_cel():
    assert parse(r"joined_text.contains('\u65b0')") == Unknown()
    assert parse("joined_text.contains(r'a')") == Unknown()
    assert parse("'a'") == Text("a")
