"""Keeps the measured blocks of docs/quality.md up to date; the text around them is written by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "quality.md"


def filled(page: str, blocks: Mapping[str, str]) -> str:
    """`page` with what stands between `<!-- measured: NAME -->` and `<!-- end -->` replaced, for every block.

    KeyError names a block for which the page has no place.
    """
    for name, text in blocks.items():
        place = re.compile(rf"(<!-- measured: {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
        page, found = place.subn(lambda match: f"{match[1]}{text}\n{match[2]}", page)  # noqa: B023
        if not found:
            raise KeyError(name)
    return page


def write(blocks: Mapping[str, str], path: Path = PAGE) -> None:
    """Fill the page on disk."""
    path.write_text(filled(path.read_text(encoding="utf-8"), blocks), encoding="utf-8")
