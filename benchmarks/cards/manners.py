"""The measures of each style by split: the same styles, in intervals that do not overlap."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.cards.lettering import Colour
from benchmarks.cards.splits import Split

Intervals = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Manners:
    """Lengths are in sizes of the letters unless said otherwise."""

    dark: tuple[Colour, ...]
    light: tuple[Colour, ...]
    stroke: Intervals  # width of an outline
    sweep: Intervals  # degrees of a circle that a curved line takes
    amplitude: Intervals  # of a wave
    period: Intervals  # of a wave
    far_end: Intervals  # perspective: the smaller end's height, as a share of the larger one's
    lean: Intervals  # perspective: how far the top stands aside
    tilt: Intervals  # degrees of slanted lines
    contrast: Intervals  # low contrast: levels of 255 from the ground
    tiny: Intervals  # pixels, on a card of 1024
    band: Intervals  # thickness of the band that slices a line
    veil: Intervals  # opacity of the colour laid over a line


MANNERS: Mapping[Split, Manners] = {
    Split.TRAIN: Manners(
        dark=((20, 20, 20), (120, 10, 30), (10, 40, 110), (90, 20, 90), (30, 70, 30)),
        light=((255, 255, 255), (255, 236, 170), (255, 215, 80), (220, 240, 255)),
        stroke=((0.03, 0.045), (0.07, 0.09)),
        sweep=((50, 80), (115, 140)),
        amplitude=((0.4, 0.5), (0.7, 0.8)),
        period=((6.0, 7.0), (9.0, 11.0)),
        far_end=((0.42, 0.5), (0.6, 0.7)),
        lean=((0.4, 0.6), (0.9, 1.0)),
        tilt=((8, 16), (30, 38)),
        contrast=((30, 36), (46, 56)),
        tiny=((11, 12), (15, 17)),
        band=((0.05, 0.07), (0.11, 0.12)),
        veil=((0.3, 0.38), (0.52, 0.58)),
    ),
    Split.DEV: Manners(
        dark=((40, 30, 20), (140, 30, 10), (20, 30, 80)),
        light=((250, 250, 240), (255, 245, 190), (255, 200, 200)),
        stroke=((0.045, 0.05), (0.065, 0.07)),
        sweep=((80, 88), (108, 115)),
        amplitude=((0.5, 0.55), (0.65, 0.7)),
        period=((7.0, 7.4), (8.6, 9.0)),
        far_end=((0.5, 0.52), (0.58, 0.6)),
        lean=((0.6, 0.66), (0.84, 0.9)),
        tilt=((16, 19), (27, 30)),
        contrast=((36, 38), (44, 46)),
        tiny=((12, 12), (15, 15)),
        band=((0.07, 0.08), (0.1, 0.11)),
        veil=((0.38, 0.42), (0.5, 0.52)),
    ),
    Split.TEST: Manners(
        dark=((10, 10, 35), (100, 0, 0), (0, 60, 60), (70, 40, 10)),
        light=((248, 248, 255), (255, 225, 130), (255, 250, 205), (200, 255, 235)),
        stroke=((0.05, 0.065),),
        sweep=((88, 108),),
        amplitude=((0.55, 0.65), (0.8, 0.9)),
        period=((7.4, 8.6),),
        far_end=((0.35, 0.42), (0.52, 0.58)),
        lean=((0.66, 0.84), (1.0, 1.15)),
        tilt=((19, 27), (38, 45)),
        contrast=((38, 44),),
        tiny=((13, 14),),
        band=((0.08, 0.1),),
        veil=((0.42, 0.5),),
    ),
}


def measure(rng: random.Random, intervals: Intervals) -> float:
    """A number from one of the intervals."""
    return rng.uniform(*rng.choice(intervals))
