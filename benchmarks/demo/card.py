"""What a sample card is, and how it is kept in cards/manifest.json."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

CARDS = Path(__file__).parent / "cards"
MANIFEST = CARDS / "manifest.json"


@dataclass(frozen=True, slots=True)
class Card:
    """One card: what was asked for, what it shows instead or as well, and the decisions that are right."""

    file: str
    prompt: str
    expected_text: tuple[str, ...]
    locale: str
    shows: str
    decisions: tuple[str, ...]

    @property
    def path(self) -> Path:
        return CARDS / self.file


def read_manifest() -> tuple[Card, ...]:
    """The bundled cards in the order of the demo."""
    entries = json.loads(MANIFEST.read_text(encoding="utf-8"))
    return tuple(
        Card(**{**entry, "expected_text": tuple(entry["expected_text"]), "decisions": tuple(entry["decisions"])})
        for entry in entries
    )


def write_manifest(cards: tuple[Card, ...]) -> None:
    """Write the entries of `cards` to cards/manifest.json."""
    text = json.dumps([asdict(card) for card in cards], ensure_ascii=False, indent=1)
    MANIFEST.write_text(text + "\n", encoding="utf-8")
