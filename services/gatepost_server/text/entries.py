"""What a word list holds, and what was found of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gatepost_server.domain.labels import Category


class Strength(StrEnum):
    """STRONG: nothing else can be meant. WEAK: often harmless; only a hint for the classifier."""

    STRONG = "strong"
    WEAK = "weak"


class Form(StrEnum):
    """How an entry was found: as written or masked, only by its sound or by the first letters of its syllables, or
    by little of either, where that stands for nothing familiar."""

    WRITTEN = "written"
    SOUND = "sound"
    INITIALS = "initials"
    GUESSED = "guessed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One word or phrase, normalised. `sounds` lets homophones and pinyin spellings match too."""

    term: str
    category: Category
    strength: Strength
    sounds: bool
    source: str


@dataclass(frozen=True, slots=True)
class Match:
    """One entry found in a text."""

    entry: Entry
    form: Form
