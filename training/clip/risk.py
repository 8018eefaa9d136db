"""Which drawing belongs to which category (risk.yaml)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml

CATEGORIES = ("weapons", "drugs", "ill_omen", "insult")  # those that drawings exist for
KIND = "kind"
AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class RiskTable:
    """Answers "what does this drawing show?" by its name in its set."""

    rows: dict[str, dict[str, Any]]

    @classmethod
    def load(cls) -> Self:
        """Reads risk.yaml beside this file."""
        return cls(yaml.safe_load(Path(__file__).with_name("risk.yaml").read_text()))

    def of_emoji(self, code: str, in_set: str) -> str:
        """`code` is the code points in upper-case hex, joined by "-", without FE0F."""
        for category, row in self.rows.items():
            if code in row.get("emoji", ()) or in_set in row.get("emoji_in_sets", {}).get(code, ()):
                return category
        return ""

    def of_icon(self, name: str) -> str:
        """`name` as the icon set spells it."""
        return self._match("icons", name)

    def of_clipart(self, path: str) -> str:
        """`path` inside openclipart's folder."""
        return self._match("clipart", path)

    def _match(self, key: str, name: str) -> str:
        for category, row in self.rows.items():
            pattern = re.sub(r"\s", "", row.get(key, ""))  # YAML folds lines into spaces
            if pattern and re.search(pattern, name):
                return category
        return ""
