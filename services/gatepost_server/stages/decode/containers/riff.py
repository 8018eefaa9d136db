"""WebP (RFC 9649)."""

from __future__ import annotations

import struct

from gatepost_server.stages.decode.containers.base import Header, corrupt, truncated
from gatepost_server.stages.decode.limits import Limits


def read(data: bytes, limits: Limits) -> Header:
    """Walks the chunks of the RIFF: the canvas, every frame, and metadata."""
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    if end > len(data):
        raise truncated()
    canvas: tuple[int, int] | None = None
    picture: tuple[int, int] | None = None
    frames = blocks = 0
    position = 12
    while position + 8 <= end:
        blocks += 1
        limits.check_blocks(blocks)
        kind, length = struct.unpack_from("<4sI", data, position)
        body = position + 8
        if body + length > end:
            raise truncated()
        if kind == b"VP8X":
            canvas = _u24(data, body + 4) + 1, _u24(data, body + 7) + 1
            limits.check_size(*canvas)
        elif kind == b"ANMF":
            frames += 1
            limits.check_frames(frames, frames)
        elif kind == b"VP8 ":
            width, height = struct.unpack_from("<HH", data, body + 6)
            picture = width & 0x3FFF, height & 0x3FFF
        elif kind == b"VP8L":
            bits = struct.unpack_from("<I", data, body + 1)[0]
            picture = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        else:
            limits.check_metadata(length if kind != b"ALPH" else 0)
        position = body + length + length % 2
    size = canvas or picture
    if size is None or not (frames or picture):
        raise corrupt("the WebP holds no picture")
    if picture is not None:
        limits.check_size(*picture)
    return Header("WEBP", *size, max(1, frames))


def _u24(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 3], "little")
