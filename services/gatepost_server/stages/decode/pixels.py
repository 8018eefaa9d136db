"""Every pixel format that Pillow may hand out becomes 8-bit RGB, or RGBA where something shows through."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms

_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BITS_PER_SAMPLE = 258  # TIFF tag
_PROFILE_MODES = {"RGB ": ("RGB", "RGBA"), "CMYK": ("CMYK",)}
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """The image as a viewer turns it; `orientation` is EXIF's 1 to 8."""
    return image.transpose(_TRANSPOSE[orientation]) if orientation in _TRANSPOSE else image


def orientation_of(image: Image.Image) -> int:
    """EXIF's 1 to 8 of a loaded image; 1 where there is none (Pillow itself turns TIFF while loading)."""
    value = image.getexif().get(ExifTags.Base.Orientation, 1)
    return value if value in _TRANSPOSE else 1


def simple_mode(image: Image.Image) -> Image.Image:
    """The loaded image in mode RGB, RGBA (not opaque everywhere) or CMYK (left for `to_srgb`)."""
    if image.mode in ("RGB", "CMYK") and "transparency" not in image.info:
        return image
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _from_deep_grey(image)
    if not image.has_transparency_data:
        return image.convert("RGB")
    straight = image if image.mode == "RGBA" else image.convert("RGBA")
    lowest = straight.getchannel("A").getextrema()[0]
    return straight.convert("RGB") if lowest == 255 else straight


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB, RGBA or CMYK to RGB or RGBA as a colour-managed viewer shows it.

    A profile that cannot be used is passed over, as viewers do.
    """
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if image.mode in _PROFILE_MODES.get(source.profile.xcolor_space, ()):
                mode = "RGBA" if image.mode == "RGBA" else "RGB"
                return ImageCms.profileToProfile(image, source, _SRGB, outputMode=mode) or image
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass
    return image.convert("RGB") if image.mode == "CMYK" else image


def _from_deep_grey(image: Image.Image) -> Image.Image:
    """16-bit, 32-bit or float grey, scaled by the range that its values declare or use.

    Pillow's own conversion clips at 255, which turns a 16-bit page white and hides what is on it.
    """
    values: NDArray[Any] = np.asarray(image)
    hidden = image.info.get("transparency")
    bits = _declared_bits(image)
    grey = Image.fromarray(_stretch(values) if bits is None else (values >> (bits - 8)).astype(np.uint8))
    if not isinstance(hidden, int) or not (values == hidden).any():
        return grey.convert("RGB")
    straight = grey.convert("RGBA")
    straight.putalpha(Image.fromarray(np.where(values == hidden, 0, 255).astype(np.uint8)))
    return straight


def _declared_bits(image: Image.Image) -> int | None:
    """Bits of a sample where the mode or a TIFF tag fixes them (12-bit TIFF comes as I;16), 8 to 16."""
    if not image.mode.startswith("I;16"):
        return None
    return min(16, max(8, int(getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (16,))[0])))


def _stretch(values: NDArray[Any]) -> NDArray[np.uint8]:
    """(height, width) int32 or float32 to uint8 by the usual ranges of such files, else by the values' own range."""
    numbers = np.nan_to_num(values.astype(np.float32), copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(numbers.min()), float(numbers.max())
    usual = (1.0, 255.0, 65535.0) if values.dtype.kind == "f" else (255.0, 65535.0)
    if low >= 0 and high <= usual[-1]:
        low, high = 0.0, next(top for top in usual if high <= top)
    numbers -= low
    numbers *= 255.0 / max(high - low, 1e-30)
    scaled: NDArray[np.uint8] = np.rint(numbers, out=numbers).clip(0, 255, out=numbers).astype(np.uint8)
    return scaled
