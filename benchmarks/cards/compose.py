"""A whole card from what is wanted and a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.cards import grounds
from benchmarks.cards.canvas import Canvas
from benchmarks.cards.card import Card, Wanted
from benchmarks.cards.layouts import LAYOUTS, Spot
from benchmarks.cards.looks import LOOKS, columns, straight_rows, upside_down
from benchmarks.cards.ornaments import FRAMES
from benchmarks.cards.pictures import KIND, clipart
from benchmarks.cards.splits import Split

STYLES = tuple(LOOKS)


def layouts_for(style: str, lines: int) -> tuple[str, ...]:
    """The layouts in which a style can write so many lines."""
    look = LOOKS[style]
    return tuple(
        name
        for name, layout in LAYOUTS.items()
        if layout.least <= max(1, lines) <= layout.most
        and not (look.bends and not layout.wide)
        and not (look.rises and not layout.tall)
        and not (look.busy and layout.paper)
        and not (layout.upright and (look.split or look.tiny or look.shape is columns))
    )


def compose(wanted: Wanted, seed: int, split: Split) -> Card:
    """The card that `seed` gives, always the same.

    Raises ValueError for a seed of another split, a style or layout that is not there or that do not go together, and
    text without ink; FontMissingError and PictureMissingError where fonts or pictogram sets are not installed.
    """
    if any(not line.strip() for line in wanted.lines):
        raise ValueError(f"a line without text: {wanted.lines!r}")
    if seed not in split.seeds:
        raise ValueError(f"{seed} is not a seed of {split}: {split.seeds}")
    rng = random.Random(f"{split}:{seed}")
    style = wanted.style or rng.choice(STYLES)
    if style not in LOOKS:
        raise ValueError(f"{style!r} is not one of the styles: {', '.join(STYLES)}")
    look = LOOKS[style]
    possible = layouts_for(style, len(wanted.lines))
    name = wanted.layout or rng.choice(possible)
    if name not in possible:
        raise ValueError(f"{len(wanted.lines)} lines in style {style!r} go into {', '.join(possible)}, not {name!r}")
    choice = grounds.BUSY if look.busy else grounds.EVEN if look.even else grounds.CALM
    ground = rng.choice(choice[split])
    pixels = grounds.grained(ground(rng, wanted.side), rng)
    canvas = Canvas(Card(style, pixels, layout=name, background=ground.__name__), split, rng)
    if LAYOUTS[name].framed and rng.random() < 0.4:
        FRAMES[split](canvas)
    plan = LAYOUTS[name].paint(canvas, wanted.lines, look.busy)
    _decorate(canvas, wanted.pictures, plan.spots)
    for place in (place for place in plan.places if place.lines):
        if place.upright and look.shape in (straight_rows, upside_down):
            degrees = 180.0 if look.shape is upside_down else 0.0
            columns(canvas, replace(place, degrees=degrees), look)
        else:
            look.shape(canvas, place, look)
    return canvas.card


def _decorate(canvas: Canvas, wanted: tuple[str, ...], places: Sequence[Spot]) -> None:
    """The wanted pictures on the first spots, kind ones on the others; seldom none at all."""
    rng = canvas.rng
    if len(wanted) > len(places):
        raise ValueError(f"{len(wanted)} pictures do not go on this card: it has room for {len(places)}")
    clips = canvas.split is Split.TRAIN and rng.random() < 0.25
    kind = rng.sample(clipart() if clips else KIND, len(places) - len(wanted))
    if not wanted and rng.random() < 0.1:
        return
    same = rng.random() < 0.5  # one or two motifs, repeated, or all different
    kind = [kind[index % 2] for index in range(len(kind))] if same and len(kind) > 2 else kind
    for index, (x, y, size) in enumerate(places):
        asked = index < len(wanted)
        name = wanted[index] if asked else kind[index - len(wanted)]
        canvas.picture(name, x, y, size * rng.uniform(0.85, 1.0), wanted=asked, degrees=rng.choice([0, 0, 0, -12, 12]))
