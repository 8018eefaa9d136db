"""What an error says to a caller is made of our own words: never of an exception's, a path or a content."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVICES = Path(__file__).parents[2] / "services" / "gatepost_server"
MAKERS = {"GatepostError", "invalid", "refuse", "corrupt"}
# Words of a name that could stand for a place on the server or for what somebody sent.
FOREIGN = {
    "path",
    "folder",
    "directory",
    "file",
    "filename",
    "dir",
    "uri",
    "url",
    "exc",
    "exception",
    "cause",
    "text",
    "cwd",
}
# Reads back what a stage of ours has said in the same words (tensors/errors.py), or what a test has scripted.
ECHOES = {"tensors/errors.py", "scoring/fake.py"}


def calls() -> Iterator[tuple[str, ast.Call, set[str]]]:
    """Every place where an error for a caller is made: where, the call, and the names of caught exceptions there."""
    for file in sorted(SERVICES.rglob("*.py")):
        name = str(file.relative_to(SERVICES))
        tree = ast.parse(file.read_text())
        caught = {node.name for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler) and node.name}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in MAKERS:
                yield f"{name}:{node.lineno}", node, caught


def suspects(call: ast.Call, caught: set[str]) -> list[str]:
    """Names in the call that could bring foreign words into the message."""
    found = []
    for argument in [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "message")]:
        for node in ast.walk(argument):
            name = getattr(node, "id", getattr(node, "attr", "")) if isinstance(node, ast.Name | ast.Attribute) else ""
            if name != name.upper() and (name in caught or FOREIGN & set(name.lower().strip("_").split("_"))):
                found.append(name)
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"str", "repr", "traceback.format_exc"}:
                found.append(ast.unparse(node))
    return found


def in_code(source: str, *, caught: set[str]) -> list[str]:
    (call,) = (
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "invalid"
    )
    return suspects(call, caught)


def test_no_message_is_made_of_an_exception_or_a_path() -> None:
    made = [(where, call, caught) for where, call, caught in calls() if where.split(":")[0] not in ECHOES]
    assert len(made) > 80
    found = {where: names for where, call, caught in made if (names := suspects(call, caught)) and not harmless(call)}
    assert not found


def harmless(call: ast.Call) -> bool:
    """`len(text)` says how long, not what; moderate/limits.py says the name of a request's field."""
    return all(ast.unparse(node.value) in {"field", "len(text)", "most"} for node in ast.walk(call) if isinstance(node, ast.FormattedValue))  # fmt: skip


@pytest.mark.parametrize(
    "source",
    [
        'invalid(R, f"cannot read {path}", field="x")',
        'invalid(R, f"cannot read {self._key_file}", field="x")',
        'invalid(R, f"failed: {error}", field="x")',
        'invalid(R, str(anything), field="x")',
        'invalid(R, "failed: " + error.args[0], field="x")',
    ],
)
def test_the_check_sees_what_it_is_for(source: str) -> None:
    assert in_code(source, caught={"error"})


def test_no_message_that_is_written_down_names_a_file() -> None:
    texts = [node.value for _, call, _ in calls() for node in ast.walk(call) if isinstance(node, ast.Constant)]
    spoken = [text for text in texts if isinstance(text, str) and " " in text]
    assert len(spoken) > 50
    assert not [text for text in spoken if any(word.startswith("/") or word.endswith(".py") for word in text.split())]
