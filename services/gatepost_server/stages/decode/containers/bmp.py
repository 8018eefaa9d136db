"""BMP (Windows 2 to 5 and OS/2 headers)."""

from __future__ import annotations

import struct

from gatepost_server.domain.errors import ErrorReason
from gatepost_server.stages.decode.containers.base import Header, truncated
from gatepost_server.stages.decode.limits import Limits, refuse

_RAW, _RLE8, _RLE4, _BITFIELDS = range(4)


def read(data: bytes, limits: Limits) -> Header:
    """Size and compression; a run-length coded bitmap must reach its end mark, for decoders pad what is missing."""
    offset, header_size = struct.unpack_from("<II", data, 10)
    if header_size == 12:
        width, height = struct.unpack_from("<HH", data, 18)
        limits.check_size(width, height)
        return Header("BMP", width, height, frames=1)
    width, height, _planes, _depth, compression, size = struct.unpack_from("<iiHHII", data, 18)
    limits.check_size(width, abs(height))
    if compression not in (_RAW, _RLE8, _RLE4, _BITFIELDS):
        raise refuse(ErrorReason.IMAGE_FORMAT_UNSUPPORTED, "a BMP with JPEG or PNG inside")
    if compression in (_RLE8, _RLE4) and (not size or data[offset + size - 2 : offset + size] != b"\0\1"):
        raise truncated()
    return Header("BMP", width, abs(height), frames=1)
