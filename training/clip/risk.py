"""Which drawing belongs to which category (risk.yaml)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml

CATEGORIES = ("weapons", "drugs", "ill_omen", "insult", "violence")  # those that drawings exist for
KIND = "kind"
AMBIGUOUS = "ambiguous"
HELD_OUT = "held_out"


def held_out(category: str) -> str:
    """The label of a category's drawings that are never trained on."""
    return f"{HELD_OUT} {category}"


@dataclass(frozen=True, slots=True)
class RiskTable:
    """Answers "what does this drawing show?" by its name: a category, KIND, AMBIGUOUS, held_out(category) or ""."""

    rows: dict[str, dict[str, Any]]  # by label, the first that matches counts

    @classmethod
    def load(cls) -> Self:
        """Reads risk.yaml beside this file."""
        rows = yaml.safe_load(Path(__file__).with_name("risk.yaml").read_text())
        apart = rows.pop(HELD_OUT)
        return cls({**{held_out(category): row for category, row in apart.items()}, **rows})

    def of_emoji(self, code: str, in_set: str) -> str:
        """`code` is the code points in upper-case hex, joined by "-", without FE0F."""
        for label, row in self.rows.items():
            if code in row.get("emoji", ()) or in_set in row.get("emoji_in_sets", {}).get(code, ()):
                return label
        return ""

    def of_icon(self, name: str) -> str:
        """`name` as the icon set spells it."""
        return self._match("icons", name)

    def of_clipart(self, path: str) -> str:
        """`path` inside openclipart's folder."""
        return self._match("clipart", path)

    def _match(self, key: str, name: str) -> str:
        for label, row in self.rows.items():
            pattern = re.sub(r"\s", "", row.get(key, ""))  # YAML folds lines into spaces
            if pattern and re.search(pattern, name):
                return label
        return ""
