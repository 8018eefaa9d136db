"""Characters that a reader takes for one another. The table of Chinese ones comes from training/text/build_glyphs."""

from __future__ import annotations

import functools
from importlib.resources import files

_TABLE = "glyphs.tsv"  # a character, and those of a higher code point that look like it
# Letters, and what reading cards of the dev split showed beside the table.
_GROUPS = ("il1tj", "ocqd0ea", "uvyw", "nhrm", "s5", "z2", "b86", "gy9q", "年牛午", "您你", "关矣", "兴与")


def look_alike(left: str, right: str) -> bool:
    """Whether two characters are the same to a reader. Two numerals never are: a number is no slip of another."""
    if left == right:
        return True
    return not (left.isnumeric() and right.isnumeric()) and right in _alike().get(left, frozenset())


@functools.cache
def _alike() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    rows = files(__package__).joinpath(_TABLE).read_text(encoding="utf-8").splitlines()[1:]
    pairs = [(left, right) for left, rest in (row.split("\t") for row in rows) for right in rest]
    pairs += [(left, right) for group in _GROUPS for left in group for right in group]
    for left, right in pairs:
        found.setdefault(left, set()).add(right)
        found.setdefault(right, set()).add(left)
    return {character: frozenset(others) for character, others in found.items()}
