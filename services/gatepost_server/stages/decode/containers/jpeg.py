"""JPEG (ITU-T T.81): the segments around the entropy-coded data."""

from __future__ import annotations

import re
import struct

from gatepost_server.stages.decode.containers.base import Header, corrupt, truncated
from gatepost_server.stages.decode.limits import Limits

# In entropy-coded data FF00 is a stuffed byte and FFD0 to FFD7 are restarts; anything else ends it. Markers may be
# led by any number of FF: a pattern for all of them takes time with the square of a long run.
_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN, _END = 0xDA, 0xD9
# Each scan of a progressive file goes over all pixels again; encoders write about ten.
_MAX_SCANS = 100
_MAX_SEGMENTS = 2000


def read(data: bytes, limits: Limits) -> Header:
    """Walks segments and scans up to EOI; more than 100 scans are refused as a bomb.

    Pictures behind EOI (thumbnails, gain maps, other views of an MPO) are not shown by viewers and not counted.
    """
    size: tuple[int, int] | None = None
    scans = segments = 0
    position = 2
    while True:
        found = _MARKER.search(data, position)
        if found is None:
            raise truncated()
        marker, position = found[1][0], found.end()
        if marker == _END:
            break
        if marker == 0x01:  # TEM has no length
            continue
        length = struct.unpack_from(">H", data, position)[0]
        if length < 2:
            raise corrupt("a JPEG segment has no length")
        segments += 1
        limits.check_blocks(segments * limits.max_blocks // _MAX_SEGMENTS)
        if marker in _START_OF_FRAME:
            height, width = struct.unpack_from(">HH", data, position + 3)
            limits.check_size(width, height)
            size = width, height
        elif marker == _START_OF_SCAN:
            scans += 1
            if scans > _MAX_SCANS:
                raise corrupt(f"the JPEG has more than {_MAX_SCANS} scans")
        position += length
    if size is None or not scans:
        raise corrupt("the JPEG ends before its first scan")
    return Header("JPEG", *size, 1)
