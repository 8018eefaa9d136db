"""The commands and programs that the documents show, found as a Markdown reader finds them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[1]
GENERATED = ROOT / "docs" / "sdk.md"  # from docstrings; shows signatures, not programs
PAGES = sorted(
    {
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "deploy" / "README.md",
        ROOT / "clients" / "python" / "README.md",
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "docs" / "models").glob("*.md"),
    }
    - {GENERATED}
)
SHELL, PYTHON = ("console", "sh", "bash"), ("python",)
OURS = ("gatepost", "gatepostd", "make")
_VARIABLE = re.compile(r"[A-Z_]+=.*")  # before a program


@dataclass(frozen=True)
class Block:
    """A fenced block of one language; `line` is where it begins, from 1."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        """For messages: page:line."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True)
class Command:
    """What is typed; a trailing comment is part of it."""

    place: str
    text: str

    def simple(self) -> Iterator[list[str]]:
        """The words of each program that it starts, without redirections: pipes, && and ; separate them."""
        lexer = shlex.shlex(re.sub(r"<\([^)]*\)", "FILE", self.text), posix=True, punctuation_chars="|&;<>()")
        lexer.whitespace_split = True
        words: list[str] = []
        skip = False
        for word in lexer:
            if skip:
                skip = False
            elif set(word) <= set("|&;()"):
                yield from [words] if words else []
                words = []
            elif set(word) <= set("<>&"):
                skip = True
            elif words or not _VARIABLE.fullmatch(word):
                words.append(word)
        if words:
            yield words


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page."""
    found = []
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type == "fence":
            assert token.map is not None
            language = token.info.split()[0] if token.info.strip() else ""
            found.append(Block(page, token.map[0] + 1, language, token.content))
    return found


def commands(page: Path) -> list[Command]:
    """What a reader of the page types into a shell, in order. Where lines begin with "$ ", the others are output."""
    found = []
    for block in blocks(page):
        lines = block.text.replace("\\\n", " ").splitlines()
        if block.language not in SHELL and (block.language or not _ours(lines[0])):
            continue
        prompted = any(line.startswith("$ ") for line in lines)
        for line in lines:
            typed = line.removeprefix("$ ").strip()
            if typed and not typed.startswith("#") and (line.startswith("$ ") or not prompted):
                found.append(Command(block.place, typed))
    return found


def _ours(line: str) -> bool:
    """Whether a block that says no language begins with a command of ours."""
    words = line.removeprefix("$ ").split()
    program = next((word for word in words if not _VARIABLE.fullmatch(word)), "")
    return Path(program).name in OURS


def mentions(page: Path) -> list[Command]:
    """Our own commands that stand in running text as code."""
    found = []
    for token in MarkdownIt().enable("table").parse(page.read_text(encoding="utf-8")):
        for child in token.children or []:
            if child.type == "code_inline" and child.content.split(" ")[0] in OURS and " " in child.content:
                line = (token.map or [0])[0] + 1
                text = re.sub(r"[\[\]…]|\.\.\.", " ", child.content)  # [--optional] and what goes on
                found.append(Command(f"{page.relative_to(ROOT)}:{line}", text))
    return found
