"""What a card of the training holds, decided before anything is drawn: for the painter that draws on a GPU.

The same mixture as cards.CardMaker draws with PIL, from the same sprites and with the same labels; only the choices are
made here, a fraction of a millisecond a card, and `painter` turns a batch of them into pixels.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from training.clip import sources
from training.clip.cards import CANVAS, GREETINGS, CardMaker, Placed, caption, colour, label, overlap, places
from training.clip.risk import CATEGORIES

LETTERS = 64  # pixels: height of the lettering that is kept
WIDEST = 704  # pixels: the widest greeting at that height
RED = "violence"  # what is drawn in one ink is drawn in blood red there
Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Layer:
    """One picture on the card: which, where (left, top, width, height in canvas pixels) and in what colours."""

    index: int
    box: tuple[float, float, float, float]
    angle: float = 0.0  # degrees
    mirrored: bool = False
    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)
    tint: Colour = (0, 0, 0)
    tinted: float = 0.0  # 1: drawn wholly in the tint
    grey: bool = False
    opacity: float = 1.0
    blurred: float = 0.0  # 1: wholly out of focus


@dataclass(frozen=True, slots=True)
class Ground:
    """An empty card: two colours, blended along a direction or around the middle, dots, and a frame."""

    ends: tuple[Colour, Colour]
    blend: int  # 0 to 3: across, quarter turns apart; 4: around the middle; ends alike for a plain one
    dots: tuple[tuple[float, float, float, Colour], ...] = ()  # x, y, radius
    frame: tuple[int, int, Colour] | None = None  # margin, width


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that one card is drawn from, and what it is then called."""

    ground: Ground
    backdrop: Layer | None
    lettering: tuple[Layer, ...]  # under the pictograms
    pictograms: tuple[Layer, ...]
    over: tuple[Layer, ...]  # lettering over them
    window: tuple[int, int, int]  # left, top, side
    caption: str
    concepts: tuple[str, ...]
    risks: tuple[int, ...]
    quality: int | None = None  # of JPEG
    shrunk: float = 0.0  # 1: seen at half its size
    noise: float = 0.0


class Planner(CardMaker):
    """Plans cards from the given sprite sets; the same seed always gives the same plan."""

    def __init__(self, cache: Path, sets: tuple[str, ...], *, risk_share: float = 0.35) -> None:
        super().__init__(cache, sets, risk_share=risk_share)
        self.letters = lettering(cache)

    def atlas(self) -> NDArray[np.uint8]:
        """Every sprite, RGBA [n, SIDE, SIDE, 4]; `Layer.index` of pictograms and backdrops counts in it."""
        return np.stack(self._pixels)

    def plan(self, seed: int) -> Plan:
        """A card of up to four pictograms, at most one of them risky."""
        rng = random.Random(seed)
        backdrop = self._faint(rng) if rng.random() < 0.15 else None
        under = [self._writing(rng, (14, 44)) for _ in range(1) if rng.random() < 0.35]
        under += [self._writing(rng, (90, 200)) for _ in range(1) if rng.random() < 0.12]
        placed, pictograms = self._pictograms(rng)
        over = [self._writing(rng, (14, 44)) for _ in range(1) if rng.random() < 0.15]
        side = CANVAS if rng.random() < 0.5 else rng.randint(150, CANVAS)
        window = (rng.randint(0, CANVAS - side), rng.randint(0, CANVAS - side), side)
        seen = [(item, overlap(item.box, window)) for item in placed]
        name, concepts = caption(seen, rng)
        return Plan(
            ground=ground(rng),
            backdrop=backdrop,
            lettering=tuple(under),
            pictograms=tuple(pictograms),
            over=tuple(over),
            window=window,
            caption=name,
            concepts=concepts,
            risks=tuple(label(category, seen) for category in CATEGORIES),
            quality=rng.randint(35, 90) if rng.random() < 0.3 else None,
            shrunk=rng.random() if rng.random() < 0.15 else 0.0,
            noise=rng.uniform(2, 12) if rng.random() < 0.15 else 0.0,
        )

    def _pictograms(self, rng: random.Random) -> tuple[list[Placed], list[Layer]]:
        placed: list[Placed] = []
        layers: list[Layer] = []
        risky = rng.random() < self._risk_share
        for turn, box in enumerate(places(rng)):
            index = self._pick(rng, risky and turn == 0)
            bloody = self._risks[index] == RED or rng.random() < 0.06
            left, top, side = box
            layers.append(self._dressed(index, (left, top, side, side), rng, bloody=bloody))
            placed.append(Placed(self._sprites[index], self._risks[index], box))
        return placed, layers

    def _faint(self, rng: random.Random) -> Layer:
        """A busy ground: part of something harmless, far too large, faint or out of focus."""
        side = rng.randint(CANVAS, 2 * CANVAS)
        box = (rng.randint(-side // 2, 0), rng.randint(-side // 2, 0), side, side)
        more = {"opacity": rng.uniform(0.15, 0.8), "blurred": rng.random() if rng.random() < 0.6 else 0.0}
        return self._dressed(self._pick(rng, risky=False), box, rng, **more)

    def _dressed(
        self, index: int, box: tuple[float, float, float, float], rng: random.Random, *, bloody: bool = False,
        opacity: float = 1.0, blurred: float = 0.0,
    ) -> Layer:  # fmt: skip
        mono = self._sprites[index].mono
        gain, tint, tinted = (1.0, 1.0, 1.0), (0, 0, 0), 0.0
        if mono:
            ink = colour(rng, 0, 110) if rng.random() < 0.65 else colour(rng)
            tint = (rng.randint(110, 225), rng.randint(0, 35), rng.randint(0, 35)) if bloody else ink
            tinted = 1.0
        elif rng.random() < 0.3:
            gain = (rng.uniform(0.6, 1.1), rng.uniform(0.6, 1.1), rng.uniform(0.6, 1.1))
        elif rng.random() < 0.3:  # towards one colour, for a bomb need not be black
            tint, tinted = colour(rng), rng.uniform(0.15, 0.6)
        return Layer(
            index, box, rng.uniform(-35, 35) if rng.random() < 0.6 else 0.0, rng.random() < 0.5, gain, tint, tinted,
            not mono and rng.random() < 0.08, opacity, blurred,
        )  # fmt: skip

    def _writing(self, rng: random.Random, sizes: tuple[int, int]) -> Layer:
        size = rng.randint(*sizes)
        box = (
            rng.randint(-10 - size // 2, CANVAS // 2), rng.randint(0, CANVAS - 30),
            size * WIDEST / LETTERS, float(size),
        )  # fmt: skip
        tint = colour(rng, 0, 120) if rng.random() < 0.5 else colour(rng, 150)
        return Layer(rng.randrange(len(self.letters)), box, tint=tint, tinted=1.0)


def ground(rng: random.Random) -> Ground:
    """White, plain, festive red or blended; some with confetti or a frame."""
    kind = rng.random()
    if kind < 0.15:
        ends = ((255, 255, 255),) * 2
    elif kind < 0.4:
        ends = (colour(rng, *((150, 255) if rng.random() < 0.7 else (0, 255))),) * 2
    elif kind < 0.6:  # festive reds and golds
        ends = ((rng.randint(150, 240), rng.randint(0, 60), rng.randint(0, 60)),) * 2
    else:
        ends = (colour(rng, 40), colour(rng, 40))
    dots: tuple[tuple[float, float, float, Colour], ...] = ()
    frame = None
    if rng.random() < 0.25:
        dots = tuple(
            (rng.randrange(CANVAS), rng.randrange(CANVAS), rng.randint(1, 7), colour(rng))
            for _ in range(rng.randint(5, 40))
        )
    elif rng.random() < 0.2:
        frame = (rng.randint(3, 14), rng.randint(1, 6), colour(rng))
    return Ground((ends[0], ends[1]), 4 if rng.random() < 0.3 else rng.randrange(4), dots, frame)


def lettering(cache: Path) -> NDArray[np.uint8]:
    """Every greeting in every font that can write it: masks [n, LETTERS, WIDEST]."""
    chinese, latin = sources.lettering(cache)
    fonts = [(path, 2 if "Noto" in path.name else 0, GREETINGS) for path in chinese]
    fonts += [(path, 0, tuple(text for text in GREETINGS if text.isascii())) for path in latin]
    masks = []
    for path, index, texts in fonts:
        font = ImageFont.truetype(str(path), round(0.8 * LETTERS), index=index)
        for text in texts:
            mask = Image.new("L", (WIDEST, LETTERS))
            ImageDraw.Draw(mask).text((0, LETTERS // 2), text, font=font, fill=255, anchor="lm")
            masks.append(np.asarray(mask))
    return np.stack(masks)
