"""Whether a command exists as the documents say it, found out without running it: by the programs' own parsers."""

from __future__ import annotations

import importlib.util
import itertools
import re
import tomllib
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from gatepost_client.cli import app as asking
from gatepost_server.cli.app import app as serving
from tests.docs_commands import ROOT

USAGE: Any = typer.BadParameter.__base__  # typer carries a click of its own, and shows little of it
PROGRAMS: dict[str, Any] = {
    "gatepost": typer.main.get_command(asking),
    "gatepostd": typer.main.get_command(serving),
}
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
_SETTINGS = re.compile(r"[A-Z_]+=.*")


class UnknownCommandError(AssertionError):
    """The documents show something that is not there."""


def check(words: list[str]) -> None:
    """Raises UnknownCommandError. Values, and whether arguments are missing, are not looked at."""
    program, arguments = Path(words[0]).name, words[1:]
    if program in PROGRAMS:
        _check_click(PROGRAMS[program], arguments, program)
    elif program == "make":
        wanted = [word for word in arguments if not _SETTINGS.fullmatch(word)]
        if unknown := set(wanted) - TARGETS:
            raise UnknownCommandError(f"make has no {', '.join(sorted(unknown))}")
    elif program.startswith("python"):
        _check_module(arguments)
    elif program in ("docker", "kubectl"):
        _check_files(arguments)
    elif program == "pip":
        _check_extras(arguments)
    else:
        raise UnknownCommandError(f"nobody can say whether {program!r} is right: run it, or teach tests/docs_known.py")


def _check_click(command: Any, arguments: list[str], path: str) -> None:
    if isinstance(command, TyperGroup):
        if not arguments:
            return
        name, *rest = arguments
        if name in command.commands:
            _check_click(command.commands[name], rest, f"{path} {name}")
        elif not name.startswith("-"):
            raise UnknownCommandError(f"{path} has no command {name!r}")
        elif name in _options(command):
            _check_click(command, rest[1:], path)  # as `gatepostd console --config FILE user add`
        elif not any(name in _options(each) for each in _below(command)):
            raise UnknownCommandError(f"neither {path} nor what is below it has {name}")
        return
    try:
        command.make_parser(typer.Context(command, info_name=path)).parse_args(list(arguments))
    except USAGE as error:
        if "requires an argument" in error.format_message():
            return  # mentioned without its value
        raise UnknownCommandError(f"{path}: {error.format_message()}") from None


def _options(command: Any) -> set[str]:
    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}


def _below(group: Any) -> list[Any]:
    found: list[Any] = []
    for command in group.commands.values():
        found += [command, *(_below(command) if isinstance(command, TyperGroup) else [])]
    return found


def _check_module(arguments: list[str]) -> None:
    if arguments[:1] != ["-m"] or len(arguments) < 2:
        raise UnknownCommandError("only python -m MODULE is known")
    module = arguments[1]
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        raise UnknownCommandError(f"there is no module {module}")
    folder = Path(found.origin).parent
    files = folder.rglob("*.py") if found.submodule_search_locations else [Path(found.origin)]
    source = "\n".join(file.read_text(encoding="utf-8") for file in files)
    for word in arguments[2:]:
        option = word.partition("=")[0]
        if option.startswith("--") and f'"{option}"' not in source and option[2:].replace("-", "_") not in source:
            raise UnknownCommandError(f"{module} has no {option}")


def _check_files(arguments: list[str]) -> None:
    """What containers and clusters are made from is in the repository."""
    for option, value in itertools.pairwise(arguments):
        if option in ("-f", "-k") and value.startswith("deploy/") and not (ROOT / value).exists():
            raise UnknownCommandError(f"there is no {value}")


def _check_extras(arguments: list[str]) -> None:
    projects = {"gatepost": ROOT, "gatepost-client": ROOT / "clients" / "python", "gatepost-proto": ROOT / "proto"}
    for word in arguments:
        if (named := re.match(r"(gatepost[\w-]*)(?:\[(.+)\])?", word)) is None:
            continue
        if named[1] not in projects:
            raise UnknownCommandError(f"there is no distribution {named[1]}")
        said = tomllib.loads((projects[named[1]] / "pyproject.toml").read_text())["project"]
        if unknown := set((named[2] or "").split(",")) - {"", *said.get("optional-dependencies", {})}:
            raise UnknownCommandError(f"{named[1]} has no extra {', '.join(sorted(unknown))}")
