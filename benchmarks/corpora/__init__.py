"""The texts that cards are measured with: written by hand, apart from everything that is trained on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

HERE: Final = Path(__file__).parent
SPLITS: Final = ("dev", "test")
LANGUAGES: Final = ("zh", "en")
CATEGORIES: Final = ("insult", "hate", "threat", "sexual", "self_harm", "drugs", "weapons", "spam", "ill_omen")
EVASIONS: Final = ("pun", "decomposed", "acrostic", "columns", "mixed_script", "emoji", "net_slang")
SUITES: Final = (
    "plain_abuse", "implicit_malice", "kind_ordinary", "kind_condolence", "kind_tricky", "unexpected", "as_asked",
    "cruel_words_kind_picture", "kind_words_cruel_picture", "evasion_bases", "evasion_written",
)  # fmt: skip
_KEYS: Final = frozenset({"lines", "language", "category", "asked", "picture", "evasion", "note"})


@dataclass(frozen=True)
class Entry:
    """One card's text.

    `lines` are top to bottom as laid out; `category` is None where the card is harmless; `asked` is what the card was
    ordered with, empty where nothing was said; `picture` is an emoji's code point in hexadecimal, such as "1F382".
    """

    lines: tuple[str, ...]
    language: str
    category: str | None
    asked: tuple[str, ...] = ()
    picture: str | None = None
    evasion: str | None = None
    note: str = ""

    @property
    def text(self) -> str:
        """The lines in one string, joined by line feeds."""
        return "\n".join(self.lines)


@cache
def load(split: str, suite: str) -> tuple[Entry, ...]:
    """The entries of one suite, in the order of its file. Raises ValueError that names the entry at fault."""
    if split not in SPLITS or suite not in SUITES:
        raise ValueError(f"no suite {split}/{suite}")
    rows = yaml.safe_load((HERE / split / f"{suite}.yaml").read_text(encoding="utf-8"))
    return tuple(parse(row, f"{split}/{suite}, entry {number}") for number, row in enumerate(rows, 1))


def parse(row: dict[str, Any], where: str) -> Entry:
    """One row of a file as an Entry; every word must be known. Raises ValueError that begins with `where`."""
    if unknown := set(row) - _KEYS:
        raise ValueError(f"{where}: unknown keys {sorted(unknown)}")
    if missing := {"lines", "language", "category"} - set(row):
        raise ValueError(f"{where}: missing keys {sorted(missing)}")
    if row["language"] not in LANGUAGES:
        raise ValueError(f"{where}: unknown language {row['language']!r}")
    if row["category"] is not None and row["category"] not in CATEGORIES:
        raise ValueError(f"{where}: unknown category {row['category']!r}")
    if row.get("evasion") is not None and row["evasion"] not in EVASIONS:
        raise ValueError(f"{where}: unknown evasion {row['evasion']!r}")
    return Entry(
        lines=_strings(row["lines"], f"{where}: lines"),
        language=row["language"],
        category=row["category"],
        asked=_strings(row["asked"], f"{where}: asked") if "asked" in row else (),
        picture=_code_point(row["picture"], where) if "picture" in row else None,
        evasion=row.get("evasion"),
        note=row.get("note", ""),
    )


def _strings(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"{where} must be a list of strings, not empty")
    for line in value:
        if not isinstance(line, str) or not line.strip() or line != line.strip():
            raise ValueError(f"{where}: {line!r} is not a line of text without blanks around it")
    return tuple(value)


def _code_point(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{where}: picture must be a string of hexadecimal digits, in quotes")
    try:
        chr(int(value, 16))
    except (ValueError, OverflowError):
        raise ValueError(f"{where}: picture {value!r} is not a code point") from None
    return value
