"""GIF (https://www.w3.org/Graphics/GIF/spec-gif89a.txt)."""

from __future__ import annotations

import struct

from gatepost_server.stages.decode.containers.base import Header, corrupt
from gatepost_server.stages.decode.limits import Limits

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B


def read(data: bytes, limits: Limits) -> Header:
    """Walks the blocks up to the trailer. The canvas is the smallest that holds every frame."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    position = 13 + _color_table(flags)
    frames = blocks = 0
    while (kind := data[position]) != _TRAILER:
        if kind == _IMAGE:
            left, top, frame_width, frame_height, flags = struct.unpack_from("<HHHHB", data, position + 1)
            # Pillow and browsers let a frame reach over the logical screen.
            width, height = max(width, left + frame_width), max(height, top + frame_height)
            limits.check_size(frame_width, frame_height)
            frames += 1
            limits.check_frames(frames, frames * width * height)
            position += 11 + _color_table(flags)
        elif kind == _EXTENSION:
            position += 2
        else:
            raise corrupt("the GIF has an unknown block")
        while length := data[position]:
            position += length + 1
            blocks += 1
            limits.check_blocks(blocks)
        position += 1
    if not frames:
        limits.check_size(0, 0)
    return Header("GIF", width, height, frames)


def _color_table(flags: int) -> int:
    """Bytes of the colour table that a packed field announces."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0
