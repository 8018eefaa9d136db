"""The encoded file to the one picture that is drawn on."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image, ImageOps

from gatepost_client.errors import InvalidRequest, invalid_image
from gatepost_client.verdict import Background, View

LONGEST_SIDE = 2048  # pixels; more makes the PNG slow and no clearer
SHORTEST_LONG_SIDE = 512  # smaller images are enlarged to it, or their labels would hide them

_BACKGROUNDS = {Background.BLACK: (0, 0, 0)}


@dataclass(frozen=True, slots=True)
class Picture:
    """RGB pixels, and how many of them lie along one pixel of the upright original."""

    pixels: Image.Image
    scale: float


def load_view(data: bytes, view: View) -> Picture | InvalidRequest:
    """The upright frame of `view` on its background (white where it does not say), scaled for drawing."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.seek(min(view.frame, getattr(image, "n_frames", 1) - 1))
            upright = ImageOps.exif_transpose(image)
            pixels = _flat(upright, _BACKGROUNDS.get(view.background, (255, 255, 255)))
    except Exception as problem:  # noqa: BLE001 - Pillow's decoders raise nearly anything, and it is returned
        return invalid_image("IMAGE_CORRUPT", f"the image cannot be decoded: {type(problem).__name__}: {problem}")
    longest = max(pixels.size)
    scale = min(LONGEST_SIDE, max(SHORTEST_LONG_SIDE, longest)) / longest
    if scale != 1:
        size = max(1, round(pixels.width * scale)), max(1, round(pixels.height * scale))
        pixels = pixels.resize(size, Image.Resampling.LANCZOS)
    return Picture(pixels, scale)


def _flat(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    if image.mode.startswith("I;16"):  # convert() would cut everything above 255
        image = image.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    if not image.has_transparency_data:
        return image.convert("RGB")
    flat = Image.new("RGB", image.size, background)
    layer = image.convert("RGBA")
    flat.paste(layer, mask=layer)
    return flat
