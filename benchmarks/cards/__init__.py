"""Greeting cards drawn by a seed, each knowing what is written on it and where.

`draw(style, seed)` gives a card; `python -m benchmarks.cards FOLDER` writes some to look at.
The fonts are Debian's (`make fonts`); nothing here is needed to run or test gatepost.
"""

from benchmarks.cards.lettering import Written
from benchmarks.cards.styles import STYLES, Card, draw

__all__ = ["STYLES", "Card", "Written", "draw"]
