"""Writes docs/sdk.md from the SDK's docstrings: what each public module names in __all__. `make docs` runs it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import griffe

ROOT = Path(__file__).parents[3]
TARGET = ROOT / "docs" / "sdk.md"
PACKAGE = "gatepost_client"
MODULES = (PACKAGE, f"{PACKAGE}.tickets", f"{PACKAGE}.tickets.asgi", f"{PACKAGE}.annotate", f"{PACKAGE}.testing")
HEAD = """\
# The SDK, name by name

From the docstrings of `clients/python/gatepost_client` (`make docs`; a test holds this page against them).
To begin with: [clients/python/README.md](../clients/python/README.md).
"""
_ARGUMENT = re.compile(r"^(\*{0,2}[a-z_]+(?:, [a-z_]+)*): (.+)$")


def reference() -> str:
    """The page."""
    package = griffe.load(PACKAGE, search_paths=[str(ROOT / "clients" / "python"), str(ROOT / "proto")])
    parts = [HEAD]
    for path in MODULES:
        module = package if path == PACKAGE else package[path.removeprefix(f"{PACKAGE}.")]
        parts += [f"## {path}\n", _first(module) + "\n"]
        names = module.exports or [name for name, member in module.members.items() if _shown(name, member)]
        for name in sorted(map(str, names), key=str.lower):
            if not name.startswith("_"):
                parts += _entry(name, module[name])
    return "\n".join(parts)


def _shown(name: str, member: griffe.Object | griffe.Alias) -> bool:
    return not name.startswith("_") and not member.is_alias and (member.is_class or member.is_function)


def _entry(name: str, thing: griffe.Object | griffe.Alias) -> Iterator[str]:
    target = thing.final_target if isinstance(thing, griffe.Alias) else thing
    yield f"### {name}\n"
    if isinstance(target, griffe.Class):
        yield from _class(target)
    elif isinstance(target, griffe.Function):
        yield _code(_signature(target, target.name))
        yield _text(target)
    else:
        yield _code(target.source.strip())
        yield _text(target)


def _class(target: griffe.Class) -> Iterator[str]:
    bases = ", ".join(str(base) for base in target.bases)
    yield _text(target)
    public = [(name, member) for name, member in target.members.items() if not name.startswith("_")]
    sources = [member.source.strip() for _, member in public if member.is_attribute and not _property(member)]
    fields = [f"    {source}" for source in sources if not source.startswith("self.")]
    made = target.members.get("__init__")
    if isinstance(made, griffe.Function):
        head = _signature(made, target.name)
    else:
        head = f"class {target.name}({bases})" if bases else f"class {target.name}"
    yield _code("\n".join([head, *fields]))
    for name, member in public:
        if _property(member):
            yield f"#### {target.name}.{name}\n"
            yield _text(member)
        elif isinstance(member, griffe.Function):
            yield f"#### {target.name}.{name}\n"
            yield _code(_signature(member, name))
            yield _text(member)


def _property(member: griffe.Object | griffe.Alias) -> bool:
    return "property" in member.labels or "cached-property" in member.labels


def _signature(function: griffe.Function, name: str) -> str:
    said = [parameter for parameter in function.parameters if parameter.name not in ("self", "cls")]
    bare, parts = False, list[str]()
    for parameter in said:
        if parameter.kind is griffe.ParameterKind.keyword_only and not bare:
            bare = True
            parts.append("*")
        if parameter.kind is griffe.ParameterKind.var_positional:
            bare = True
        stars = {"variadic positional": "*", "variadic keyword": "**"}.get(
            parameter.kind.value if parameter.kind else "", ""
        )
        default = "" if stars or parameter.default is None else f" = {parameter.default}"
        annotation = "" if parameter.annotation is None else f": {parameter.annotation}"
        parts.append(f"{stars}{parameter.name}{annotation}{default}")
    returns = f" -> {function.returns}" if function.returns is not None and name == function.name else ""
    line = f"{name}({', '.join(parts)}){returns}"
    if len(line) <= 110:
        return line
    return f"{name}(\n" + "".join(f"    {part},\n" for part in parts) + f"){returns}"


def _code(text: str) -> str:
    return f"```py\n{text}\n```\n"


def _first(thing: griffe.Object | griffe.Alias) -> str:
    return thing.docstring.value.split("\n\n")[0].replace("\n", " ") if thing.docstring else ""


def _text(thing: griffe.Object | griffe.Alias) -> str:
    """The docstring, its list of arguments as a list."""
    if not thing.docstring:
        return ""
    lines: list[str] = []
    for line in thing.docstring.value.splitlines():
        argument = _ARGUMENT.match(line)
        if argument:
            if lines and lines[-1] and not lines[-1].startswith("- "):
                lines.append("")
            lines.append(f"- `{argument[1]}`: {argument[2]}")
        elif line.startswith("    ") and lines and lines[-1].startswith("- "):
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")
