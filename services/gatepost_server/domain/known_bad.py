"""Examples of what must not be shown again, and what is like them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gatepost_server.domain.labels import Category

PDQ_DISTANCE = 31  # of 256 bits, ThreatExchange's advice
COSINE = 0.98  # docs/bank.md has what it was chosen from
TEXT_SIMILARITY = 0.9


class Likeness(StrEnum):
    """By what an image was found to be like an example."""

    SAME_FILE = "sha256"
    PDQ = "pdq"
    EMBEDDING = "embedding"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class KnownBad:
    """One example. What is empty is not compared. Times are Unix seconds."""

    id: str
    category: Category
    added: float
    added_by: str
    expires: float | None = None  # from then on it finds nothing; None: never
    note: str = ""
    sha256: str = ""  # of the file, 64 hex digits
    pdq: str = ""  # 64 hex digits
    pdq_distance: int = PDQ_DISTANCE  # hit at so many different bits, or fewer
    embedding: tuple[float, ...] = ()  # of unit length
    embedding_model: str = ""  # "name version"; embeddings of another model say nothing
    cosine: float = COSINE  # hit from here on
    text: str = ""
    text_similarity: float = TEXT_SIMILARITY  # 0 to 1, hit from here on

    def holds_at(self, now: float) -> bool:
        """Whether it has not expired."""
        return self.expires is None or now < self.expires


@dataclass(frozen=True, slots=True)
class Hit:
    """An example that an image is like. `score`, 0 to 1, is how like: 1 for the same file."""

    entry: str
    category: Category
    likeness: Likeness
    score: float


@dataclass(frozen=True, slots=True)
class Change:
    """Who did what to the bank, and when (Unix seconds)."""

    at: float
    actor: str
    what: str  # "added", "removed"
    entry: str
