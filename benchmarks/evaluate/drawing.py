"""A case as an encoded card: the one place that knows how cards are drawn."""

from __future__ import annotations

from benchmarks.cards import Split, Wanted, compose, encode
from benchmarks.evaluate.case import Case


def draw(case: Case) -> bytes:
    """The file of a case's card; the same bytes each time. Errors are compose's."""
    split = next(split for split in Split if case.seed in split.seeds)
    card = compose(Wanted(case.lines, case.pictures, case.style, side=case.side), case.seed, split)
    image, _ = encode(card, case.seed)
    return image
