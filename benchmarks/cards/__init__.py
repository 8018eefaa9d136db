"""Greeting cards drawn by a seed, each knowing what is written on it and where.

Two generators share fonts and lettering: `compose(Wanted(lines, pictures, style, layout), seed, split)` draws given
texts as a whole card (styles: `LOOKS`, layouts: `LAYOUTS`), and `draw(style, seed)` draws the OCR measurement's cards
(`STYLES`), several phrases of its own a card. `encode(card, seed)` makes a file of either.
`python -m benchmarks.cards FOLDER` writes some to look at.
The fonts are Debian's (`make fonts`), the pictograms npm's (`python -m benchmarks.cards.fetch`); nothing here is
needed to run gatepost.
"""

from benchmarks.cards.card import Card, Picture, Wanted
from benchmarks.cards.compose import compose, layouts_for
from benchmarks.cards.encoding import encode
from benchmarks.cards.layouts import LAYOUTS
from benchmarks.cards.lettering import Written
from benchmarks.cards.looks import LOOKS
from benchmarks.cards.pictures import KIND, RISKY, TRICKY
from benchmarks.cards.splits import Split
from benchmarks.cards.styles import STYLES, draw

__all__ = [
    "KIND",
    "LAYOUTS",
    "LOOKS",
    "RISKY",
    "STYLES",
    "TRICKY",
    "Card",
    "Picture",
    "Split",
    "Wanted",
    "Written",
    "compose",
    "draw",
    "encode",
    "layouts_for",
]
