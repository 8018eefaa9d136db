"""Cards whose right decision is known: those of the demo with exactly one."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.demo.card import read_manifest
from gatepost_client import Decision, Item


@dataclass(frozen=True, slots=True)
class Known:
    """One card and the only right decision on it, ALLOW or BLOCK."""

    name: str
    image: bytes
    expected_text: tuple[str, ...]
    locale: str
    right: Decision

    @property
    def bad(self) -> bool:
        """Whether nobody may ever see it."""
        return self.right is not Decision.ALLOW

    def item(self) -> Item:
        """As one item of a stream."""
        return Item(self.image, expected_text=self.expected_text, locale=self.locale, evidence=False)


def known_cards() -> tuple[Known, ...]:
    """All of them, as the demo's manifest says."""
    return tuple(
        Known(card.file, card.path.read_bytes(), card.expected_text, card.locale, Decision(card.decisions[0]))
        for card in read_manifest()
        if card.decisions in (("ALLOW",), ("BLOCK",))
    )
