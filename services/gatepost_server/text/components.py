"""Chinese characters that were taken apart: 亻尔 for 你, 女马 for 妈. The table comes from training/text."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib.resources import files
from itertools import pairwise

_TABLE = "components.tsv"  # parts, whole, sure


@functools.cache
def _table(*, sure: bool) -> Mapping[str, str]:
    rows = files(__package__).joinpath(_TABLE).read_text(encoding="utf-8").splitlines()[1:]
    cells = (row.split("\t") for row in rows)
    return {parts: whole for parts, whole, certain in cells if certain == "1" or not sure}


def put_together(text: str, *, sure: bool) -> str:
    """`text` with parts as the characters they make; `sure` leaves alone what may stand beside another by chance."""
    table = _table(sure=sure)
    if not any(first + second in table for first, second in pairwise(text)):
        return text
    whole: list[str] = []
    place = 0
    while place < len(text):
        character = table.get(text[place : place + 2])
        whole.append(character or text[place])
        place += 2 if character else 1
    return "".join(whole)
