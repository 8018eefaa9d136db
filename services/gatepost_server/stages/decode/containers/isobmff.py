"""AVIF (https://aomediacodec.github.io/av1-avif/): the boxes of ISO/IEC 14496-12."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from gatepost_server.domain.errors import ErrorReason
from gatepost_server.stages.decode.containers.base import Header, corrupt, truncated
from gatepost_server.stages.decode.limits import Limits, refuse

# Boxes that hold boxes on the way to sizes and sample counts, and the bytes before their first child.
_PARENTS = {b"meta": 4, b"iprp": 0, b"ipco": 0, b"moov": 0, b"trak": 0, b"mdia": 0, b"minf": 0, b"stbl": 0}
_DEEPEST = 8  # moov/trak/mdia/minf/stbl is five


def read(data: bytes, limits: Limits) -> Header:
    """The largest image extent (ispe, or tkhd of a sequence) and the longest track's sample count."""
    brands = data[8 : struct.unpack_from(">I", data)[0]]
    if not {brands[at : at + 4] for at in range(0, len(brands), 4)} & {b"avif", b"avis"}:
        raise refuse(ErrorReason.IMAGE_FORMAT_UNSUPPORTED, "an ISO media file, but not an AVIF image")
    width = height = 0
    frames = 1
    for blocks, (kind, start) in enumerate(_boxes(data, 0, len(data))):
        limits.check_blocks(blocks)
        if kind == b"ispe":
            size = struct.unpack_from(">II", data, start + 4)
        elif kind == b"tkhd":  # 16.16 fixed point, at the end of either version of the box
            size = tuple(side >> 16 for side in struct.unpack_from(">II", data, start + (88 if data[start] else 76)))
        else:
            size = (0, 0)
        width, height = max(width, size[0]), max(height, size[1])
        if kind == b"stsz":
            frames = max(frames, struct.unpack_from(">I", data, start + 8)[0])
    if not (width and height):
        raise corrupt("the AVIF does not say how large it is")
    return Header("AVIF", width, height, frames)


def _boxes(data: bytes, start: int, end: int, depth: int = 1) -> Iterator[tuple[bytes, int]]:
    """(type, start of the body) of every box in the range and inside of its parents."""
    if depth > _DEEPEST:
        raise corrupt("the AVIF's boxes are nested too deep")
    while start < end:
        size, kind = struct.unpack_from(">I4s", data, start)
        body = start + 8
        if size == 1:
            size, body = struct.unpack_from(">Q", data, body)[0], body + 8
        elif size == 0:
            size = end - start
        if size < body - start:
            raise corrupt("an AVIF box is smaller than its header")
        if start + size > end:
            raise truncated()
        yield kind, body
        if kind in _PARENTS:
            yield from _boxes(data, body + _PARENTS[kind], start + size, depth + 1)
        start += size
