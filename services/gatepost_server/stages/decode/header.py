"""What a file says of itself, checked before any pixel is decoded."""

from __future__ import annotations

import struct
from collections.abc import Callable

from gatepost_server.domain.errors import ErrorReason
from gatepost_server.stages.decode.containers import bmp, gif, isobmff, jpeg, png, riff, tiff
from gatepost_server.stages.decode.containers.base import Header
from gatepost_server.stages.decode.limits import Limits, refuse

Reader = Callable[[bytes, Limits], Header]


def reader_of(data: bytes) -> Reader | None:
    """The reader of the container that `data` begins with; None for anything that is not moderated."""
    if data.startswith(b"\xff\xd8\xff"):
        return jpeg.read
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return png.read
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return riff.read
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return gif.read
    if data[4:8] == b"ftyp":
        return isobmff.read
    if data[:4] in (b"II*\0", b"MM\0*"):
        return tiff.read
    if data[:2] == b"BM":
        return bmp.read
    return None


def read_header(data: bytes, limits: Limits) -> Header:
    """The header of an image within `limits`, in time bounded by `limits.max_blocks`.

    Raises GatepostError: empty, too large, unknown format, truncated, corrupt, or over a limit.
    """
    if not data:
        raise refuse(ErrorReason.IMAGE_EMPTY, "the image is empty")
    if len(data) > limits.max_bytes:
        raise refuse(ErrorReason.IMAGE_TOO_LARGE, f"the image has more than {limits.max_bytes} bytes")
    read = reader_of(data)
    if read is None:
        raise refuse(
            ErrorReason.IMAGE_FORMAT_UNSUPPORTED,
            "the format is not one of JPEG, PNG, WebP, GIF, AVIF, BMP, TIFF",
        )
    try:
        header = read(data, limits)
    except (struct.error, IndexError) as error:  # a field lies behind the end of the file
        raise refuse(ErrorReason.IMAGE_TRUNCATED, "the file ends inside its header") from error
    limits.check_size(header.width, header.height)
    limits.check_frames(header.frames, header.frames * header.width * header.height)
    return header
