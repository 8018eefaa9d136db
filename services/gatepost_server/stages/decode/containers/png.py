"""PNG and APNG (https://www.w3.org/TR/png-3/)."""

from __future__ import annotations

import struct
import zlib

from gatepost_server.stages.decode.containers.base import Header, corrupt, truncated
from gatepost_server.stages.decode.limits import Limits

_CHUNK = struct.Struct(">I4s")
_PIXELS = (b"IDAT", b"fdAT")
_MAX_FULL_BLOCKS = 16  # as many blocks of metadata may be as large as the limit allows, or more that are smaller


def read(data: bytes, limits: Limits) -> Header:
    """Walks the chunks: CRCs, metadata (inflated), the frames that acTL promises, and IEND."""
    width, height = struct.unpack_from(">II", data, 16)
    if data[12:16] != b"IHDR":
        raise corrupt("the PNG does not begin with IHDR")
    limits.check_size(width, height)
    promised = fctl = blocks = metadata = 0
    pixels_seen = default_is_frame = False
    position, kind = 8, b""
    while kind != b"IEND":
        blocks += 1
        limits.check_blocks(blocks)
        length, kind = _CHUNK.unpack_from(data, position)
        start, end = position + 8, position + 8 + length
        if end + 4 > len(data):
            raise truncated()
        if kind not in _PIXELS:
            size = _inflated_size(kind, data[start:end], limits.max_metadata)
            limits.check_metadata(size)
            metadata += size  # each inflates anew, a megabyte out of a kilobyte
            limits.check_metadata(metadata // _MAX_FULL_BLOCKS)
        if zlib.crc32(data[position + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            raise corrupt("a PNG chunk does not match its checksum")
        if kind == b"acTL":
            promised = struct.unpack_from(">I", data, start)[0]
            limits.check_frames(promised, promised)
        elif kind == b"fcTL":
            fctl += 1
            limits.check_frames(fctl, fctl)
            default_is_frame |= not pixels_seen
        pixels_seen |= kind == b"IDAT"
        position = end + 4
    if fctl != promised:
        # Viewers disagree about such files: one shows the frames, another the picture before them.
        raise corrupt("the PNG promises another number of frames than it has")
    return Header("PNG", width, height, frames=max(1, fctl + (not default_is_frame if fctl else 0)))


def _inflated_size(kind: bytes, body: bytes, limit: int) -> int:
    """Bytes of a metadata chunk once inflated; stops counting just above `limit`."""
    if kind in (b"zTXt", b"iCCP"):  # keyword, NUL, compression method, deflate stream
        packed = body.partition(b"\0")[2][1:]
    elif kind == b"iTXt":  # keyword, NUL, compression flag and method, language, NUL, translated keyword, NUL, text
        rest = body.partition(b"\0")[2]
        packed = rest[2:].partition(b"\0")[2].partition(b"\0")[2] if rest[:1] == b"\1" else b""
    else:
        packed = b""
    if not packed:
        return len(body)
    try:
        return max(len(body), len(zlib.decompressobj().decompress(packed, limit + 1)))
    except zlib.error:
        raise corrupt("a compressed PNG text does not inflate") from None
