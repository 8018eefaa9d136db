"""From a loaded frame to the arrays that the nets look at."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gatepost_server.domain.labels import Background
from gatepost_server.stages.decode.frames import Signature

Size = tuple[int, int]  # width, height
Pixels = NDArray[np.uint8]

_PAPER = {Background.WHITE: (255, 255, 255), Background.BLACK: (0, 0, 0)}
_SIGNATURE = (96, 96)


def fit(size: Size, longest: int) -> Size:
    """`size` scaled down, never up, so that no side is over `longest`; no side below 1."""
    scale = min(1.0, longest / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def fit_all(size: Size, longest: int, views: int, max_bytes: int) -> Size:
    """`fit`, and small enough that `views` RGB arrays take at most `max_bytes`."""
    width, height = fit(size, longest)
    scale = math.sqrt(max_bytes / (3 * views * width * height))
    return (width, height) if scale >= 1 else (max(1, int(width * scale)), max(1, int(height * scale)))


def shrink(image: Image.Image, size: Size) -> Image.Image:
    """The whole image at `size`, each pixel the weighted mean of what it covers (alpha taken into account)."""
    return image if image.size == size else image.resize(size, Image.Resampling.HAMMING, reducing_gap=2.0)


def on_canvas(image: Image.Image, canvas: Size) -> Image.Image:
    """The RGB or RGBA image at the top left of a white canvas that is at least as large (pages of different sizes)."""
    if image.size == canvas:
        return image
    page = Image.new(image.mode, canvas, "white")
    page.paste(image, (0, 0))
    return page


def backgrounds(image: Image.Image) -> Sequence[Background]:
    """White and black for an image with transparency: text of either colour may hide in it."""
    return (Background.WHITE, Background.BLACK) if image.mode == "RGBA" else (Background.OPAQUE,)


def lay_on(image: Image.Image, background: Background) -> Image.Image:
    """An RGB image: `image` as it looks on `background`."""
    if background is Background.OPAQUE:
        return image
    paper = Image.new("RGB", image.size, _PAPER[background])
    paper.paste(image, mask=image.getchannel("A"))
    return paper


def signature(image: Image.Image) -> Signature:
    """uint8 (96, 96, 6): the RGB image in small on white and on black, for telling frames apart."""
    small = image.resize(_SIGNATURE, Image.Resampling.BOX)
    small = small if small.mode == "RGBA" else small.convert("RGB")
    pair = backgrounds(small) if small.mode == "RGBA" else (Background.OPAQUE, Background.OPAQUE)
    return np.concatenate([np.asarray(lay_on(small, paper)) for paper in pair], axis=2)


def stack(images: Sequence[Image.Image]) -> Pixels:
    """uint8 (V, height, width, 3) of RGB images of equal size."""
    return np.stack([np.asarray(image) for image in images])
