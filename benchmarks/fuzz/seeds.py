"""Small valid files of every format that is accepted, in the codings that encoders of the wild use."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.fuzz.cases import Case

_SIZE = (96, 64)


def seeds() -> list[Case]:
    """Every seed is a card of 96 x 64 pixels, or three of them one after another."""
    rgb, rgba, grey = _card("RGB"), _card("RGBA"), _card("L")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[274], exif[270] = 6, "a card"
    stills: dict[str, list[tuple[str, Image.Image, dict[str, Any]]]] = {
        "JPEG": [
            ("baseline", rgb, {}),
            ("progressive", rgb, {"progressive": True}),
            ("restarts", rgb, {"restart_marker_blocks": 2}),
            ("exif", rgb, {"exif": exif}),
            ("grey", grey, {}),
            ("cmyk", rgb.convert("CMYK"), {}),
        ],
        "PNG": [
            ("rgb", rgb, {}),
            ("rgba", rgba, {}),
            ("palette", rgb.quantize(16), {"transparency": 3}),
            ("16 bit", deep, {}),
            ("1 bit", grey.convert("1"), {}),
        ],
        "WEBP": [("lossy", rgb, {}), ("lossy alpha", rgba, {}), ("lossless", rgba, {"lossless": True})],
        "GIF": [("still", rgb.quantize(32), {}), ("interlaced", grey, {"interlace": 1})],
        "AVIF": [("420", rgb, {"speed": 9}), ("alpha", rgba, {"speed": 9, "subsampling": "4:4:4"})],
        "BMP": [("24 bit", rgb, {}), ("8 bit", rgb.quantize(64), {}), ("1 bit", grey.convert("1"), {})],
        "TIFF": [
            ("raw", rgb, {}),
            ("lzw", rgba, {"compression": "tiff_lzw"}),
            ("deflate", deep, {"compression": "tiff_adobe_deflate"}),
            ("jpeg", rgb, {"compression": "jpeg"}),
            ("packbits", grey, {"compression": "packbits"}),
            ("group 4", grey.convert("1"), {"compression": "group4"}),
        ],
    }
    made = [
        Case(kind, "valid", name, _encode(image, kind, **options))
        for kind, variants in stills.items()
        for name, image, options in variants
    ]
    frames = [_card("RGB", shade) for shade in (0, 90, 180)]
    for kind in ("PNG", "WEBP", "GIF", "AVIF", "TIFF"):
        data = _encode(frames[0], kind, save_all=True, append_images=frames[1:])
        made.append(Case(kind, "valid", "animation", data))
    return made


def _card(mode: str, shade: int = 0) -> Image.Image:
    image = Image.new("RGBA", _SIZE, (180, shade, 40, 255))
    draw = ImageDraw.Draw(image)
    draw.rectangle((4, 4, 40, 30), fill=(20, 160, 60, 120))
    draw.text((20, 24), f"card {shade}", fill="#ffd866")
    return image.convert(mode)


def _encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()
