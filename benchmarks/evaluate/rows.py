"""Judged cards on disk, one JSON object a line: a run that was ended goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# What a card's verdict depends on beside the card itself.
_SYSTEM = (
    ("model_repository", "*"),
    ("services/gatepost_server", "*.py"),
    ("services/gatepost_server", "*.yaml"),
    ("benchmarks/cards", "*.py"),
)
# These carry verdicts and make none.
_CARRIERS = {"cli", "console", "gateway", "records", "rescan", "tickets"}

Row = Mapping[str, Any]


class Rows:
    """The rows of one file that this system made; those of another system, or half written, are left out."""

    def __init__(self, path: Path, system: str) -> None:
        self._path, self._system = path, system
        self._rows: dict[str, Row] = {}
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            row = _parsed(line)
            if row.get("system") == system:
                self._rows[row["key"]] = row
        path.parent.mkdir(parents=True, exist_ok=True)
        self._write(self._rows.values())

    def __contains__(self, key: str) -> bool:
        return key in self._rows

    def __getitem__(self, key: str) -> Row:
        return self._rows[key]

    def append(self, row: Row) -> None:
        """Keep a row, at once."""
        kept = {**row, "system": self._system}
        self._rows[kept["key"]] = kept
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(kept, ensure_ascii=False) + "\n")

    def keep(self, keys: Collection[str]) -> None:
        """Leave the rows of `keys` alone in the file, in that order."""
        self._rows = {key: self._rows[key] for key in keys}
        self._write(self._rows.values())

    def _write(self, rows: Collection[Row]) -> None:
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        self._path.write_text(text, encoding="utf-8")


def fingerprint(root: Path = ROOT) -> str:
    """A hash over the models, the code that judges and the card generator."""
    digest = hashlib.sha256()
    for folder, pattern in _SYSTEM:
        for path in sorted((root / folder).rglob(pattern)):
            name = path.relative_to(root)
            if path.is_file() and "__pycache__" not in name.parts and not _CARRIERS & set(name.parts[:3]):
                digest.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:12]


def _parsed(line: str) -> Row:
    try:
        row: Row = json.loads(line)
    except json.JSONDecodeError:  # the run was killed while it wrote this line
        return {}
    return row
