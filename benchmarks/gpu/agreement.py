"""Whether two machines see the same on the same cards: texts line by line, scores category by category."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.load import EXPECTED, PROMPT
from gatepost_client import Client


@dataclass(frozen=True, slots=True)
class Seen:
    """One card's texts and its scores by category."""

    texts: Sequence[str]
    scores: dict[str, float]


def see(address: str, images: Iterable[bytes]) -> list[Seen]:
    """What the gate at `address` sees of each image."""
    with Client(address, timeout=90) as client:
        verdicts = [client.moderate(image, expected_text=EXPECTED, prompt=PROMPT, evidence=True) for image in images]
    return [
        Seen([line.text for line in verdict.lines], {str(name): score for name, score in verdict.scores.items()})
        for verdict in verdicts
    ]


def plain(seen: Sequence[Seen]) -> list[dict[str, Any]]:
    """For a JSON file."""
    return [asdict(each) for each in seen]


def from_plain(rows: Sequence[dict[str, Any]]) -> list[Seen]:
    """Of a JSON file. Raises KeyError for rows of another shape."""
    return [Seen(row["texts"], row["scores"]) for row in rows]


def same_texts(here: Sequence[Seen], there: Sequence[Seen]) -> float:
    """Share of lines that both have, of the lines of whoever has more; in any order, for neighbours may change places.

    Raises ValueError for unlike numbers of cards, or where neither saw a line.
    """
    pairs = [(Counter(one.texts), Counter(other.texts)) for one, other in zip(here, there, strict=True)]
    most = sum(max(one.total(), other.total()) for one, other in pairs)
    if not most:
        raise ValueError("no line was read, so nothing can be compared")
    return sum((one & other).total() for one, other in pairs) / most


def score_difference(here: Sequence[Seen], there: Sequence[Seen]) -> float:
    """The largest difference of any score of any card. Raises ValueError for unlike numbers of cards."""
    return max(
        abs(one.scores.get(name, 0.0) - other.scores.get(name, 0.0))
        for one, other in zip(here, there, strict=True)
        for name in one.scores.keys() | other.scores.keys()
    )
