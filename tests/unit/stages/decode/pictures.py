"""Files for the decode tests, made on the spot."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from gatepost_server.domain.errors import GatepostError
from gatepost_server.domain.evidence import ImageFacts
from gatepost_server.stages.base import StageResult, text_array
from gatepost_server.stages.decode import DecodeStage
from gatepost_server.tensors.facts import decode_facts

RED, GREEN, BLUE, GREY = (200, 30, 40), (20, 160, 60), (30, 60, 190), (128, 128, 128)


def quarters(size: int = 64) -> Image.Image:
    """Four coloured quarters: red, green above; blue, grey below."""
    image = Image.new("RGB", (size, size))
    half = size // 2
    for corner, colour in zip([(0, 0), (half, 0), (0, half), (half, half)], [RED, GREEN, BLUE, GREY], strict=True):
        image.paste(colour, (*corner, corner[0] + half, corner[1] + half))
    return image


def noise(size: tuple[int, int] = (96, 80), seed: int = 0) -> Image.Image:
    """Hard to compress, so that cutting the file cuts pixels."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8))


def card(text: str, size: tuple[int, int] = (200, 120), paper: str = "#b01020", ink: str = "#ffd866") -> Image.Image:
    image = Image.new("RGB", size, paper)
    ImageDraw.Draw(image).text((20, 40), text, fill=ink, font_size=32)
    return image


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def animation(frames: Sequence[Image.Image], kind: str, **options: object) -> bytes:
    return encode(frames[0], kind, save_all=True, append_images=frames[1:], **options)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *chunks: bytes, pixels: bytes = b"") -> bytes:
    """A PNG with any header, RGB of 8 bits, and `chunks` before its pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    tail = chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + tail


def answer(data: bytes, **parameters: object) -> StageResult | GatepostError:
    stage = DecodeStage({name: str(value) for name, value in parameters.items()})
    (result,) = stage.run([{"IMAGE": text_array([data])}])
    return result


def decoded(data: bytes, **parameters: object) -> StageResult:
    result = answer(data, **parameters)
    assert isinstance(result, StageResult), result
    return result


def refused(data: bytes, **parameters: object) -> GatepostError:
    result = answer(data, **parameters)
    assert isinstance(result, GatepostError), "the image was accepted"
    return result


def facts_of(result: StageResult) -> ImageFacts:
    return decode_facts(result.arrays["IMAGE_FACTS"][0])


def quarter_colours(pixels: np.ndarray) -> list[tuple[int, ...]]:
    """The colour in the middle of each quarter of an RGB array, in `quarters`' order."""
    height, width = pixels.shape[:2]
    points = [(y, x) for y in (height // 4, height * 3 // 4) for x in (width // 4, width * 3 // 4)]
    return [tuple(int(value) for value in pixels[point]) for point in points]


def assert_quarters(pixels: np.ndarray, expected: Sequence[tuple[int, ...]], tolerance: int) -> None:
    found = np.array(quarter_colours(pixels))
    assert np.abs(found - np.array(expected)).max() <= tolerance, found
