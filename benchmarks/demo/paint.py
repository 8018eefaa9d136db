"""What the cards are painted with: gradients, borders, confetti, pictograms. Positions in a 1024 x 1024 card."""

from __future__ import annotations

import io
import math
import random
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFilter

SIDE = 1024
SCALE = 2  # painted at twice the size, then shrunk: smooth edges
Colour = str  # any that Pillow knows

_PICTOGRAMS = Path(__file__).parent / "pictograms"


def rgb(colour: Colour) -> tuple[int, int, int]:
    """The colour's red, green and blue, 0 to 255."""
    red, green, blue, *_ = ImageColor.getrgb(colour)
    return red, green, blue


def gradient(top: Colour, bottom: Colour, *, radial: bool = False, size: tuple[int, int] | None = None) -> Image.Image:
    """A smooth RGB gradient; `radial` goes from the middle outwards."""
    width, height = size or (SIDE * SCALE, SIDE * SCALE)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    weight = np.hypot(x / width - 0.5, y / height - 0.5) / 0.7 if radial else y / height
    weight = np.clip(weight, 0, 1)[..., None]
    pixels = np.array(rgb(top)) * (1 - weight) + np.array(rgb(bottom)) * weight
    return Image.fromarray(pixels.astype(np.uint8))


def finished(canvas: Image.Image, side: int = SIDE) -> Image.Image:
    """The canvas at the size of a card."""
    return canvas.resize((side, side * canvas.height // canvas.width), Image.Resampling.LANCZOS)


def frame(canvas: Image.Image, colour: Colour, inset: int = 28) -> None:
    """A double line along the edge, stepped in at the corners."""
    draw = ImageDraw.Draw(canvas)
    for gap, width in ((inset, 6), (inset + 14, 2)):
        low, high, step = gap * SCALE, (SIDE - gap) * SCALE, 54 * SCALE
        outline = [
            (low + step, low), (high - step, low), (high - step, low + step), (high, low + step),
            (high, high - step), (high - step, high - step), (high - step, high), (low + step, high),
            (low + step, high - step), (low, high - step), (low, low + step), (low + step, low + step),
        ]  # fmt: skip
        draw.line([*outline, outline[0], outline[1]], fill=colour, width=width * SCALE, joint="curve")


def confetti(canvas: Image.Image, colours: Sequence[Colour], count: int, dice: random.Random, keep_out: float) -> None:
    """Small turned rectangles, none nearer to the middle than `keep_out` (a fraction of the half side)."""
    draw = ImageDraw.Draw(canvas)
    for _ in range(count):
        x, y = dice.uniform(0, SIDE), dice.uniform(0, SIDE)
        if max(abs(x - SIDE / 2), abs(y - SIDE / 2)) < keep_out * SIDE / 2:
            continue
        angle, long, wide = dice.uniform(0, math.pi), dice.uniform(9, 17), dice.uniform(4, 8)
        corners = [(long, wide), (-long, wide), (-long, -wide), (long, -wide)]
        turned = [
            (
                (x + a * math.cos(angle) - b * math.sin(angle)) * SCALE,
                (y + a * math.sin(angle) + b * math.cos(angle)) * SCALE,
            )
            for a, b in corners
        ]
        draw.polygon(turned, fill=dice.choice(colours))


def dots(canvas: Image.Image, colour: Colour, count: int, dice: random.Random, sizes: tuple[float, float]) -> None:
    """Snow, stars or bokeh: soft round dots."""
    layer = Image.new("L", canvas.size)
    draw = ImageDraw.Draw(layer)
    for _ in range(count):
        x, y, r = dice.uniform(0, SIDE) * SCALE, dice.uniform(0, SIDE) * SCALE, dice.uniform(*sizes) * SCALE
        draw.ellipse((x - r, y - r, x + r, y + r), fill=dice.randint(60, 200))
    canvas.paste(Image.new("RGB", canvas.size, colour), mask=layer.filter(ImageFilter.GaussianBlur(SCALE)))


def firework(canvas: Image.Image, x: int, y: int, radius: int, colour: Colour, rays: int = 22) -> None:
    """A burst of dashed rays."""
    draw = ImageDraw.Draw(canvas)
    for ray in range(rays):
        angle = 2 * math.pi * ray / rays
        for start, end, width in ((0.25, 0.5, 3), (0.58, 0.82, 4), (0.92, 0.95, 8)):
            points = [
                ((x + radius * at * math.cos(angle)) * SCALE, (y + radius * at * math.sin(angle)) * SCALE)
                for at in (start, end)
            ]
            draw.line(points, fill=colour, width=width * SCALE)


def rays(canvas: Image.Image, colour: Colour, opacity: float, count: int = 28) -> None:
    """Sunbeams from the middle."""
    layer = Image.new("L", canvas.size)
    draw = ImageDraw.Draw(layer)
    centre, reach = SIDE * SCALE / 2, SIDE * SCALE
    for ray in range(count):
        angles = [2 * math.pi * (ray + side) / count for side in (0.0, 0.5)]
        edge = [(centre + reach * math.cos(angle), centre + reach * math.sin(angle)) for angle in angles]
        draw.polygon([(centre, centre), *edge], fill=round(255 * opacity))
    canvas.paste(Image.new("RGB", canvas.size, colour), mask=layer)


def disc(canvas: Image.Image, x: int, y: int, radius: int, middle: Colour, edge: Colour) -> None:
    """A disc with a radial gradient."""
    fill = gradient(middle, edge, radial=True, size=(2 * radius * SCALE, 2 * radius * SCALE))
    mask = Image.new("L", fill.size)
    ImageDraw.Draw(mask).ellipse((0, 0, fill.width - 1, fill.height - 1), fill=255)
    canvas.paste(fill, ((x - radius) * SCALE, (y - radius) * SCALE), mask)


def panel(canvas: Image.Image, box: tuple[int, int, int, int], fill: Colour, outline: Colour, radius: int = 24) -> None:
    """A sheet of paper with an edge."""
    scaled = tuple(value * SCALE for value in box)
    ImageDraw.Draw(canvas).rounded_rectangle(scaled, radius * SCALE, fill=fill, outline=outline, width=5 * SCALE)


@cache
def _pictogram(name: str, pixels: int) -> Image.Image:
    command = ["rsvg-convert", "-w", str(pixels), "-h", str(pixels), str(_PICTOGRAMS / f"{name}.svg")]
    return Image.open(io.BytesIO(subprocess.run(command, check=True, capture_output=True).stdout)).convert("RGBA")


def pictogram(
    canvas: Image.Image, name: str, x: int, y: int, size: int, angle: float = 0, mirror: bool = False
) -> None:
    """The picture `name` of pictograms/, its middle at (x, y), `angle` in degrees counter-clockwise."""
    image = _pictogram(name, size * SCALE)
    if mirror:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    image = image.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    canvas.paste(image, (x * SCALE - image.width // 2, y * SCALE - image.height // 2), image)
