"""Whatever holds an image, to the bytes that are sent. Nothing is lost on the way: what is judged is what is shown."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from PIL import Image, ImageSequence

from gatepost_client.errors import invalid_image

_ORIENTATION = 0x0112
_PNG_MODES = {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"}
_TIFF_MODES = {"CMYK", "YCbCr", "LAB", "I", "F"}


@dataclass(frozen=True, slots=True)
class ImageUri:
    """An image that the server fetches itself, where its operator allows the scheme and prefix."""

    uri: str


@runtime_checkable
class Array(Protocol):
    """A numpy array or anything else with numpy's array interface; numpy itself is never imported."""

    @property
    def __array_interface__(self) -> dict[str, Any]: ...


ImageSource = str | os.PathLike[str] | bytes | bytearray | memoryview | Image.Image | Array | ImageUri
"""A path; a file's bytes; a Pillow image; a uint8 array HxW (grey), HxWx3 (RGB) or HxWx4 (RGBA); an ImageUri."""


def check_type(source: ImageSource) -> None:
    """TypeError for anything that can never be an image, whatever it holds."""
    if isinstance(source, (str, os.PathLike, bytes, bytearray, memoryview, Image.Image, ImageUri)):
        return
    if not isinstance(source, Array):
        raise TypeError(f"image must be a path, bytes, a Pillow image or a numpy array, not {type(source).__name__}")
    shape, kind = _shape(source), str(source.__array_interface__["typestr"])
    if kind != "|u1":
        raise TypeError(f"image arrays must be uint8, not {kind}")
    if not (len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4))):
        raise TypeError(f"image arrays must be HxW, HxWx3 or HxWx4, not {'x'.join(map(str, shape))}")


def encoded(source: ImageSource, *, max_bytes: int) -> bytes:
    """The encoded file of `source`, which check_type has passed.

    Errors: InvalidRequest where the file cannot be read, is longer than `max_bytes`, or where the
    pixels cannot be encoded.
    """
    if isinstance(source, (str, os.PathLike)):
        data = _read(Path(source), max_bytes)
    elif isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
    elif isinstance(source, Image.Image):
        data = _encode(source)
    elif isinstance(source, Array):
        if 0 in _shape(source):
            raise invalid_image("IMAGE_ZERO_SIZE", "the array has no pixels")
        data = _encode(Image.fromarray(source))
    else:
        raise TypeError(f"{type(source).__name__} has no bytes")
    if not data:
        raise invalid_image("IMAGE_EMPTY", "the image holds no bytes")
    if len(data) > max_bytes:
        raise invalid_image("IMAGE_TOO_LARGE", f"{len(data):,} bytes; at most {max_bytes:,} can be sent")
    return data


def _shape(array: Array) -> tuple[int, ...]:
    shape: tuple[int, ...] = array.__array_interface__["shape"]
    return shape


def _read(path: Path, max_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            # One more than may be sent, so that a huge file (or /dev/zero) is never held whole.
            return file.read(max_bytes + 1)
    except (OSError, ValueError) as problem:  # ValueError: a null character in the path
        reason = "FILE_NOT_FOUND" if isinstance(problem, FileNotFoundError) else "FILE_UNREADABLE"
        message = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
        raise invalid_image(reason, f"{path}: {message}") from problem


def _encode(image: Image.Image) -> bytes:
    """A lossless file of all frames: PNG (or APNG), TIFF for the modes that PNG has not."""
    if 0 in image.size:
        raise invalid_image("IMAGE_ZERO_SIZE", f"the image is {image.width}x{image.height}")
    buffer = io.BytesIO()
    try:
        if getattr(image, "n_frames", 1) > 1:
            position = image.tell()
            frames = [frame.convert("RGBA") for frame in ImageSequence.Iterator(image)]
            image.seek(position)
            frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:], compress_level=1)
        elif image.mode in _TIFF_MODES:
            image.save(buffer, "TIFF", exif=_orientation(image))
        else:
            if image.mode not in _PNG_MODES:
                image = image.convert("RGBA" if image.has_transparency_data else "RGB")
            image.save(buffer, "PNG", compress_level=1, exif=_orientation(image))
    except Exception as problem:  # Pillow reads lazily, and its decoders raise nearly anything
        raise invalid_image("IMAGE_CORRUPT", f"Pillow cannot read the image: {problem}") from problem
    return buffer.getvalue()


def _orientation(image: Image.Image) -> Image.Exif:
    """How the image is to be turned, and nothing else of its metadata: the rest may be private."""
    kept = Image.Exif()
    if (turned := image.getexif().get(_ORIENTATION)) is not None:
        kept[_ORIENTATION] = turned
    return kept
