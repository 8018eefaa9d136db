"""Composes training pictures: pictograms on card-like grounds, seen whole or through a tile's window."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from training.clip import sources, sprites
from training.clip.risk import CATEGORIES, KIND
from training.clip.sprites import Sprite

SIDE = 160  # pixels, the net's input
CANVAS = 240
_SEEN, _GONE = 0.6, 0.15  # share of a sprite inside the window: surely shown, surely not
_CATEGORY_SHARES = {"weapons": 0.4, "drugs": 0.16, "ill_omen": 0.22, "insult": 0.12, "violence": 0.1}
_RED = "violence"  # what is drawn in one ink is drawn in blood red there
_KIND_SHARE = 0.4  # of the harmless pictograms
GREETINGS = (
    "Happy Birthday", "Merry Christmas", "Happy New Year", "Congratulations", "Thank You", "Best wishes", "With love",
    "Get well soon", "Good luck", "生日快乐", "圣诞快乐", "新年快乐", "恭喜发财", "万事如意",
    "年年有余", "祝你幸福", "母亲节快乐", "中秋快乐", "一帆风顺", "身体健康", "感谢有你", "福", "喜", "春",
)  # fmt: skip
_CAPTIONS = {
    "en": ("{}", "a picture of {}", "an illustration of {}", "a greeting card with {}", "an icon of {}"),
    "zh": ("{}", "{}的图片", "{}的插画", "印有{}的贺卡", "{}图标"),
}


@dataclass(frozen=True, slots=True)
class Card:
    """One picture, what it is called, what it shows, and which categories: 1 yes, 0 no, -1 cut in half."""

    pixels: NDArray[np.uint8]  # [SIDE, SIDE, 3]
    caption: str
    concepts: tuple[str, ...]
    risks: tuple[int, ...]  # in the order of CATEGORIES


@dataclass(frozen=True, slots=True)
class Placed:
    """A pictogram on the card: what it shows, and its place."""

    sprite: Sprite
    risk: str
    box: tuple[int, int, int]  # left, top, side


class CardMaker:
    """Draws cards from the given sprite sets; the same seed always gives the same card.

    `risk_share` of the cards hold one risky pictogram.
    """

    def __init__(self, cache: Path, sets: tuple[str, ...], *, risk_share: float = 0.35) -> None:
        self._pixels: list[NDArray[np.uint8]] = []
        self._sprites: list[Sprite] = []
        self._risks: list[str] = []
        self._by_set: list[list[int]] = []
        self._by_risk: dict[str, list[list[int]]] = {name: [] for name in (*CATEGORIES, KIND)}
        for name in sets:
            self._add(sprites.load(cache, name))
        self._risk_share = risk_share
        self._fonts = [*_fonts(cache, (14, 18, 24, 32, 44))]
        self._huge_fonts = [*_fonts(cache, (90, 140, 200))]

    def _add(self, chosen: sprites.SpriteSet) -> None:
        first = len(self._sprites)
        self._pixels.extend(chosen.pixels)
        self._sprites.extend(chosen.sprites)
        self._risks.extend(chosen.risks)
        harmless = [first + i for i, risk in enumerate(chosen.risks) if risk in ("", KIND)]
        self._by_set.append(harmless)
        for name, groups in self._by_risk.items():
            members = [first + i for i, risk in enumerate(chosen.risks) if risk == name]
            if members:
                groups.append(members)

    def draw(self, seed: int) -> Card:
        """A card of one to four pictograms, at most one of them risky."""
        rng = random.Random(seed)
        canvas = ground(rng)
        if rng.random() < 0.15:
            self._backdrop(canvas, rng)
        if rng.random() < 0.35:
            write(canvas, rng, *rng.choice(self._fonts))
        if rng.random() < 0.12:  # a tile's look at a heading: strokes as large as blades
            write(canvas, rng, *rng.choice(self._huge_fonts))
        placed = self._place(canvas, rng)
        if rng.random() < 0.15:
            write(canvas, rng, *rng.choice(self._fonts))
        side = CANVAS if rng.random() < 0.5 else rng.randint(150, CANVAS)
        left, top = rng.randint(0, CANVAS - side), rng.randint(0, CANVAS - side)
        seen = [(item, overlap(item.box, (left, top, side))) for item in placed]
        window = canvas.crop((left, top, left + side, top + side)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        pixels = np.asarray(_wear(window, rng))
        name, concepts = caption(seen, rng)
        return Card(
            pixels=pixels,
            caption=name,
            concepts=concepts,
            risks=tuple(label(category, seen) for category in CATEGORIES),
        )

    def _pick(self, rng: random.Random, risky: bool) -> int:
        if risky:
            category = rng.choices(list(_CATEGORY_SHARES), list(_CATEGORY_SHARES.values()))[0]
            return rng.choice(rng.choice(self._by_risk[category]))
        if rng.random() < _KIND_SHARE:
            return rng.choice(rng.choice(self._by_risk[KIND]))
        return rng.choice(rng.choices(self._by_set, [len(members) ** 0.5 for members in self._by_set])[0])

    def _backdrop(self, canvas: Image.Image, rng: random.Random) -> None:
        """A busy ground: part of something harmless, far too large, faint or out of focus."""
        index = self._pick(rng, risky=False)
        side = rng.randint(CANVAS, 2 * CANVAS)
        drawn = dress(self._pixels[index], self._sprites[index].mono, side, rng)
        if rng.random() < 0.6:
            drawn = drawn.filter(ImageFilter.GaussianBlur(rng.uniform(2, 8)))
        share = rng.uniform(0.15, 0.8)
        faint = drawn.getchannel("A").point(lambda alpha: int(alpha * share))
        canvas.paste(drawn, (rng.randint(-side // 2, 0), rng.randint(-side // 2, 0)), faint)

    def _place(self, canvas: Image.Image, rng: random.Random) -> list[Placed]:
        risky = rng.random() < self._risk_share
        placed: list[Placed] = []
        for turn, (left, top, side) in enumerate(places(rng)):
            index = self._pick(rng, risky and turn == 0)
            sprite = self._sprites[index]
            bloody = self._risks[index] == _RED or rng.random() < 0.06
            drawn = dress(self._pixels[index], sprite.mono, side, rng, bloody=bloody)
            canvas.paste(drawn, (left, top), drawn)
            placed.append(Placed(sprite, self._risks[index], (left, top, side)))
        return placed


def places(rng: random.Random) -> list[tuple[int, int, int]]:
    """Squares (left, top, side) for up to four pictograms that hardly touch."""
    count = rng.choices((0, 1, 2, 3, 4), (0.03, 0.47, 0.2, 0.18, 0.12))[0]
    found: list[tuple[int, int, int]] = []
    for _ in range(count):
        low, high = {1: (70, 230), 2: (60, 120), 3: (50, 110), 4: (45, 105)}[count]
        side = rng.randint(low, high)
        for _ in range(8):  # tries to find a free place
            box = (*(rng.randint(-side // 12, CANVAS - side + side // 12) for _ in range(2)), side)
            if all(overlap(box, other) < 0.12 for other in found):
                found.append(box)
                break
    return found


def label(category: str, seen: list[tuple[Placed, float]]) -> int:
    """1: a pictogram of the category is surely shown, 0: surely not, -1: it is cut. `seen` has the share shown."""
    shares = [share for item, share in seen if item.risk == category]
    if not shares or max(shares) < _GONE:
        return 0
    return 1 if max(shares) > _SEEN else -1


def caption(seen: list[tuple[Placed, float]], rng: random.Random) -> tuple[str, tuple[str, ...]]:
    """What a card is called, and the concepts that it surely shows."""
    shown = [item.sprite for item, share in seen if share > _SEEN]
    return _named(shown, rng), tuple(sprite.concept for sprite in shown) or ("nothing",)


def _named(shown: list[Sprite], rng: random.Random) -> str:
    language = "zh" if shown and all(sprite.zh for sprite in shown) and rng.random() < 0.5 else "en"
    if not shown:
        return rng.choice(("an empty background", "writing on a plain background", "空白背景", "文字"))
    names = [_name(sprite.zh if language == "zh" else sprite.en, rng) for sprite in shown]
    joined = ("和" if language == "zh" else " and ").join(names)
    return rng.choice(_CAPTIONS[language]).format(joined)


def _name(names: tuple[str, ...], rng: random.Random) -> str:
    if len(names) == 1 or rng.random() < 0.55:
        return names[0]
    tags = rng.sample(names[1:], min(len(names) - 1, rng.randint(1, 2)))
    return ", ".join((names[0], *tags) if rng.random() < 0.6 else tags)


def colour(rng: random.Random, low: int = 0, high: int = 255) -> tuple[int, int, int]:
    """Any colour whose channels lie between `low` and `high`."""
    return rng.randint(low, high), rng.randint(low, high), rng.randint(low, high)


def ground(rng: random.Random) -> Image.Image:
    """An empty card, CANVAS pixels a side: plain, festive, blended or ornamented."""
    kind = rng.random()
    if kind < 0.15:
        ground = Image.new("RGB", (CANVAS, CANVAS), "white")
    elif kind < 0.4:
        ground = Image.new("RGB", (CANVAS, CANVAS), colour(rng, *((150, 255) if rng.random() < 0.7 else (0, 255))))
    elif kind < 0.6:  # festive reds and golds
        ground = Image.new("RGB", (CANVAS, CANVAS), (rng.randint(150, 240), rng.randint(0, 60), rng.randint(0, 60)))
    else:
        mask = Image.linear_gradient("L") if rng.random() < 0.7 else Image.radial_gradient("L")
        mask = mask.rotate(rng.choice((0, 90, 180, 270))).resize((CANVAS, CANVAS))
        ends = [Image.new("RGB", (CANVAS, CANVAS), colour(rng, 40)) for _ in range(2)]
        ground = Image.composite(*ends, mask)
    if rng.random() < 0.4:
        _ornament(ground, rng)
    return ground


def _ornament(ground: Image.Image, rng: random.Random) -> None:
    pen = ImageDraw.Draw(ground)
    ink = colour(rng)
    match rng.randrange(4):
        case 0:
            margin = rng.randint(3, 14)
            pen.rectangle((margin, margin, CANVAS - margin, CANVAS - margin), outline=ink, width=rng.randint(1, 6))
        case 1:
            for _ in range(rng.randint(5, 40)):
                x, y, r = rng.randrange(CANVAS), rng.randrange(CANVAS), rng.randint(1, 7)
                pen.ellipse((x - r, y - r, x + r, y + r), fill=colour(rng))
        case 2:
            for x in range(rng.randint(0, 12), CANVAS, rng.randint(14, 40)):
                pen.line((x, 0, x + rng.randint(-60, 60), CANVAS), fill=ink, width=rng.randint(1, 4))
        case _:
            for _ in range(rng.randint(1, 5)):
                xs, ys = sorted(rng.sample(range(CANVAS), 2)), sorted(rng.sample(range(CANVAS), 2))
                pen.rounded_rectangle((xs[0], ys[0], xs[1] + 2, ys[1] + 2), rng.randint(0, 10), fill=colour(rng))


def _fonts(cache: Path, sizes: tuple[int, ...]) -> Iterator[tuple[ImageFont.FreeTypeFont, tuple[str, ...]]]:
    """Every font in every size, each with the greetings that it can write."""
    chinese, latin = sources.lettering(cache)
    for size in sizes:
        for path in chinese:
            yield ImageFont.truetype(str(path), size, index=2 if "Noto" in path.name else 0), GREETINGS
        for path in latin:
            yield ImageFont.truetype(str(path), size), tuple(text for text in GREETINGS if text.isascii())


def write(
    canvas: Image.Image, rng: random.Random, font: ImageFont.FreeTypeFont, greetings: tuple[str, ...] = GREETINGS
) -> None:
    """Writes a greeting somewhere on the card."""
    place = (rng.randint(-10 - int(font.size) // 2, canvas.width // 2), rng.randint(0, canvas.height - 30))
    ink = colour(rng, 0, 120) if rng.random() < 0.5 else colour(rng, 150)
    ImageDraw.Draw(canvas).text(place, rng.choice(greetings), font=font, fill=ink)


def dress(pixels: NDArray[np.uint8], mono: bool, side: int, rng: random.Random, *, bloody: bool = False) -> Image.Image:
    """A sprite [SIDE, SIDE, 4] as RGBA of `side` pixels, recoloured, turned or mirrored by chance.

    `bloody` is for drawings in one ink: it is a dark red.
    """
    if mono:
        pixels = pixels.copy()
        dark = rng.random() < 0.65
        ink = colour(rng, 0, 110) if dark else colour(rng)
        pixels[..., :3] = (rng.randint(110, 225), rng.randint(0, 35), rng.randint(0, 35)) if bloody else ink
    elif rng.random() < 0.3:
        gains = np.array([*(rng.uniform(0.6, 1.1) for _ in range(3)), 1.0], dtype=np.float32)
        pixels = np.minimum(pixels * gains, 255).astype(np.uint8)
    elif rng.random() < 0.3:  # towards one colour, for a bomb need not be black
        share, tint = rng.uniform(0.15, 0.6), np.array(colour(rng), dtype=np.float32)
        pixels = pixels.copy()
        pixels[..., :3] = (pixels[..., :3] * (1 - share) + tint * share).astype(np.uint8)
    sprite = Image.fromarray(pixels)
    if rng.random() < 0.5:
        sprite = sprite.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if rng.random() < 0.6:
        sprite = sprite.rotate(rng.uniform(-35, 35), Image.Resampling.BILINEAR)
    if not mono and rng.random() < 0.08:
        grey = sprite.convert("LA")
        sprite = grey.convert("RGBA")
    return sprite.resize((side, side), Image.Resampling.BILINEAR)


def _wear(picture: Image.Image, rng: random.Random) -> Image.Image:
    """What files go through: JPEG, shrinking, noise."""
    if rng.random() < 0.3:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=rng.randint(35, 90))
        picture = Image.open(buffer).convert("RGB")
    if rng.random() < 0.15:
        small = rng.randint(SIDE // 2, SIDE)
        picture = picture.resize((small, small), Image.Resampling.BILINEAR).resize(
            (SIDE, SIDE), Image.Resampling.BILINEAR
        )
    if rng.random() < 0.15:
        noise = np.random.default_rng(rng.getrandbits(32)).normal(0, rng.uniform(2, 12), (SIDE, SIDE, 1))
        picture = Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))
    return picture


def overlap(box: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """The share of `box` that lies inside `other`; both are left, top, side."""
    width = min(box[0] + box[2], other[0] + other[2]) - max(box[0], other[0])
    height = min(box[1] + box[2], other[1] + other[2]) - max(box[1], other[1])
    return max(width, 0) * max(height, 0) / box[2] ** 2
