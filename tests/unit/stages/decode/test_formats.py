"""Every format and pixel format comes out as the colours that a viewer shows."""

from __future__ import annotations

import hashlib
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from gatepost_server.domain.evidence import View
from gatepost_server.domain.labels import Background
from tests.unit.stages.decode.pictures import (
    BLUE,
    GREEN,
    GREY,
    RED,
    assert_quarters,
    chunk,
    decoded,
    encode,
    facts_of,
    png,
    quarters,
)

COLOURS = [RED, GREEN, BLUE, GREY]
LUMA = [tuple([round(0.299 * r + 0.587 * g + 0.114 * b)] * 3) for r, g, b in COLOURS]
GREYS = np.asarray(quarters().convert("L"))


def _grey16() -> Image.Image:
    return Image.fromarray(GREYS.astype(np.uint16) * 257)


def _floats() -> Image.Image:
    return Image.fromarray(GREYS.astype(np.float32) / 255)


@pytest.mark.parametrize(
    ("data", "kind", "expected", "tolerance"),
    [
        pytest.param(encode(quarters(), "JPEG", quality=95), "JPEG", COLOURS, 4, id="jpeg"),
        pytest.param(encode(quarters(), "JPEG", progressive=True), "JPEG", COLOURS, 8, id="progressive jpeg"),
        pytest.param(encode(quarters().convert("L"), "JPEG", quality=95), "JPEG", LUMA, 4, id="grey jpeg"),
        pytest.param(encode(quarters().convert("CMYK"), "JPEG", quality=95), "JPEG", COLOURS, 6, id="adobe cmyk jpeg"),
        pytest.param(encode(quarters(), "PNG"), "PNG", COLOURS, 0, id="png"),
        pytest.param(encode(quarters().quantize(16), "PNG"), "PNG", COLOURS, 4, id="palette png"),
        pytest.param(encode(quarters().convert("L"), "PNG"), "PNG", LUMA, 1, id="grey png"),
        pytest.param(encode(quarters().convert("LA"), "PNG"), "PNG", LUMA, 1, id="grey png with opaque alpha"),
        pytest.param(encode(_grey16(), "PNG"), "PNG", LUMA, 1, id="16-bit grey png"),
        pytest.param(encode(quarters(), "WEBP", quality=95), "WEBP", COLOURS, 12, id="webp"),
        pytest.param(encode(quarters(), "WEBP", lossless=True), "WEBP", COLOURS, 0, id="lossless webp"),
        pytest.param(encode(quarters(), "GIF"), "GIF", COLOURS, 4, id="gif"),
        pytest.param(encode(quarters(), "AVIF", quality=95), "AVIF", COLOURS, 10, id="avif"),
        pytest.param(encode(quarters(), "BMP"), "BMP", COLOURS, 0, id="bmp"),
        pytest.param(encode(quarters().quantize(16), "BMP"), "BMP", COLOURS, 4, id="palette bmp"),
        pytest.param(encode(quarters(), "TIFF"), "TIFF", COLOURS, 0, id="tiff"),
        pytest.param(encode(quarters(), "TIFF", compression="tiff_lzw"), "TIFF", COLOURS, 0, id="lzw tiff"),
        pytest.param(encode(quarters().convert("CMYK"), "TIFF"), "TIFF", COLOURS, 2, id="cmyk tiff"),
        pytest.param(encode(quarters().convert("LAB"), "TIFF"), "TIFF", COLOURS, 8, id="lab tiff"),
        pytest.param(encode(_grey16(), "TIFF"), "TIFF", LUMA, 1, id="16-bit tiff"),
        pytest.param(encode(_floats(), "TIFF"), "TIFF", LUMA, 1, id="float tiff"),
        pytest.param(encode(quarters().convert("L").convert("I"), "TIFF"), "TIFF", LUMA, 1, id="32-bit tiff"),
    ],
)
def test_colours_come_out_as_a_viewer_shows_them(data, kind, expected, tolerance):
    result = decoded(data)
    facts = facts_of(result)
    assert (facts.format, facts.width, facts.height, facts.frames) == (kind, 64, 64, 1)
    assert facts.views == (View(0, Background.OPAQUE),)
    assert_quarters(result.arrays["OCR_PIXELS"][0], expected, tolerance)
    assert_quarters(result.arrays["CLIP_PIXELS"][0], expected, tolerance)


def test_one_bit_images_are_black_and_white():
    image = quarters().convert("L").point(lambda value: 255 * (value > 100)).convert("1")
    for kind in ("PNG", "TIFF", "BMP"):
        pixels = decoded(encode(image, kind)).arrays["OCR_PIXELS"]
        np.testing.assert_array_equal(pixels[0], np.asarray(image.convert("RGB")))


def test_16_bit_rgb_png_keeps_its_high_bytes():
    rows = b"".join(b"\0" + struct.pack(">3H", 200 * 257, 30 * 257, 40 * 257) * 4 for _ in range(4))
    data = png(4, 4, pixels=rows).replace(
        chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0)),
        chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0)),
    )
    assert (decoded(data).arrays["OCR_PIXELS"][0] == RED).all()


def test_a_colour_profile_is_applied():
    swapped = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ"))
    plain = decoded(encode(quarters(), "PNG")).arrays["OCR_PIXELS"]
    unusable = decoded(encode(quarters(), "PNG", icc_profile=swapped.tobytes())).arrays["OCR_PIXELS"]
    broken = decoded(encode(quarters(), "PNG", icc_profile=b"no profile")).arrays["OCR_PIXELS"]
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    same = decoded(encode(quarters(), "PNG", icc_profile=srgb)).arrays["OCR_PIXELS"]
    # The red primary's tag points at the blue one and the other way round: red shows as blue.
    crossed = srgb.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")
    shown = decoded(encode(quarters(), "PNG", icc_profile=crossed)).arrays["OCR_PIXELS"]
    np.testing.assert_array_equal(unusable, plain)
    np.testing.assert_array_equal(broken, plain)
    assert np.abs(same.astype(int) - plain).max() <= 2
    assert_quarters(shown[0], [colour[::-1] for colour in COLOURS], 12)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_the_image_is_turned_as_exif_says(kind, orientation):
    upright = quarters().resize((64, 32), Image.Resampling.NEAREST)
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the Transpose that a camera held that way would store
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    result = decoded(encode(stored, kind, exif=exif, **({"quality": 95} if kind != "TIFF" else {})))
    assert (facts_of(result).width, facts_of(result).height) == (64, 32)
    assert result.arrays["OCR_PIXELS"].shape == (1, 32, 64, 3)
    assert_quarters(result.arrays["OCR_PIXELS"][0], COLOURS, 16)


def test_facts_tell_the_hash_of_the_bytes_and_of_the_picture():
    data = encode(quarters(256), "PNG")
    facts = facts_of(decoded(data))
    assert facts.sha256 == hashlib.sha256(data).hexdigest()
    assert len(facts.pdq) == 64
    assert int(facts.pdq, 16)
    recoded = facts_of(decoded(encode(quarters(256), "JPEG", quality=60)))
    assert (int(facts.pdq, 16) ^ int(recoded.pdq, 16)).bit_count() <= 31  # ThreatExchange's match distance
    assert recoded.sha256 != facts.sha256
