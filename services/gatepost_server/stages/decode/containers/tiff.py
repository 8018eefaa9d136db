"""TIFF 6.0, without BigTIFF (a file within the size limit has no use for it)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from gatepost_server.stages.decode.containers.base import Header, corrupt, truncated
from gatepost_server.stages.decode.limits import Limits

_WIDTH, _HEIGHT = 256, 257
# The tags that say where pixels lie: strips and tiles, offsets and byte counts.
_EXTENTS = ((273, 279), (324, 325))
_INTEGERS = {1: "B", 3: "H", 4: "I"}
_MAX_TAGS = 1000
_MAX_VALUES = 1_000_000  # of all tags that are read; one strip for each row of 32 pages has less

Tags = dict[int, tuple[int, ...]]


def read(data: bytes, limits: Limits) -> Header:
    """Follows the chain of pages; the size is the largest width and the largest height of any page."""
    order = "<" if data[:2] == b"II" else ">"
    width = height = frames = total = 0
    for tags in _pages(data, order, limits):
        page_width, page_height = _one(tags, _WIDTH), _one(tags, _HEIGHT)
        limits.check_size(page_width, page_height)
        width, height = max(width, page_width), max(height, page_height)
        frames, total = frames + 1, total + page_width * page_height
        limits.check_frames(frames, total)
        for offsets, counts in _EXTENTS:
            if any(
                at + size > len(data) for at, size in zip(tags.get(offsets, ()), tags.get(counts, ()), strict=False)
            ):
                raise truncated()
    if not frames:
        raise corrupt("the TIFF has no page")
    return Header("TIFF", width, height, frames)


def _pages(data: bytes, order: str, limits: Limits) -> Iterator[Tags]:
    seen: set[int] = set()
    values = 0
    at = struct.unpack_from(order + "I", data, 4)[0]
    while at:
        if at in seen:
            raise corrupt("the pages of the TIFF run in a circle")
        seen.add(at)
        count = struct.unpack_from(order + "H", data, at)[0]
        if count > _MAX_TAGS:
            raise corrupt(f"a TIFF page has more than {_MAX_TAGS} tags")
        page: Tags = {}
        for index in range(count):
            tag, found = _tag(data, order, at + 2 + 12 * index)
            values += len(found)
            limits.check_blocks(values * limits.max_blocks // _MAX_VALUES)
            page[tag] = found
        yield page
        at = struct.unpack_from(order + "I", data, at + 2 + 12 * count)[0]


def _tag(data: bytes, order: str, at: int) -> tuple[int, tuple[int, ...]]:
    """One tag's number and its integer values; () for the tags that nothing here asks for."""
    tag, kind, count = struct.unpack_from(order + "HHI", data, at)
    wanted = tag in (_WIDTH, _HEIGHT) or any(tag in pair for pair in _EXTENTS)
    if not wanted or kind not in _INTEGERS:
        return tag, ()
    size = struct.calcsize(order + _INTEGERS[kind]) * count
    start = at + 8 if size <= 4 else struct.unpack_from(order + "I", data, at + 8)[0]
    if start + size > len(data):  # before the format string grows with a claimed count
        raise truncated()
    return tag, struct.unpack_from(f"{order}{count}{_INTEGERS[kind]}", data, start)


def _one(tags: Tags, tag: int) -> int:
    values = tags.get(tag, ())
    return values[0] if values else 0
