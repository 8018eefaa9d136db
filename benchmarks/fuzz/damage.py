"""Ways in which a file is damaged. Every one is a pure function of the bytes and of a seeded random number source."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence

from benchmarks.fuzz.cases import Case

# Where signs, sizes and allocations turn over.
_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_PNG = b"\x89PNG\r\n\x1a\n"


def _bits(data: bytearray, rng: random.Random) -> bytearray:
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def _bytes(data: bytearray, rng: random.Random) -> bytearray:
    at, length = rng.randrange(len(data)), rng.choice((1, 4, 16, 256))
    data[at : at + length] = rng.randbytes(len(data[at : at + length]))
    return data


def _header(data: bytearray, rng: random.Random) -> bytearray:
    """Only within the first 200 bytes, where sizes, types and tables stand."""
    for _ in range(rng.choice((1, 2, 4))):
        data[rng.randrange(min(200, len(data)))] = rng.randrange(256)
    return data


def _numbers(data: bytearray, rng: random.Random) -> bytearray:
    """Lying lengths, counts and offsets: a telling number over two or four bytes, in either byte order."""
    width, order = rng.choice((2, 4)), rng.choice(("little", "big"))
    at = rng.randrange(max(1, min(len(data), rng.choice((64, 512, len(data)))) - width))
    data[at : at + width] = (rng.choice(_NUMBERS) & (256**width - 1)).to_bytes(width, order)
    return data


def _cut(data: bytearray, rng: random.Random) -> bytearray:
    return data[: rng.randrange(1, len(data))]


def _removed(data: bytearray, rng: random.Random) -> bytearray:
    at = rng.randrange(len(data))
    del data[at : at + rng.choice((1, 2, 7, 64, 500))]
    return data


def _doubled(data: bytearray, rng: random.Random) -> bytearray:
    at, length = rng.randrange(len(data)), rng.choice((1, 8, 64, 500))
    piece = data[at : at + length]
    return data[:at] + piece * rng.choice((2, 3, 50)) + data[at + length :]


_WAYS: Mapping[str, Callable[[bytearray, random.Random], bytearray]] = {
    "flipped bits": _bits,
    "random bytes": _bytes,
    "damaged header": _header,
    "lying numbers": _numbers,
    "cut off": _cut,
    "pieces removed": _removed,
    "pieces repeated": _doubled,
}


def damaged(seeds: Sequence[Case], each: int, seed: int) -> Iterator[Case]:
    """`each` files of every way and every seed, and as many that are spliced from two seeds of a format.

    In every second PNG the checksums are put right again, for else they would be all that is ever looked at.
    """
    rng = random.Random(seed)
    for whole in seeds:
        kin = [other for other in seeds if other.format == whole.format]
        for number in range(each):
            for way, change in _WAYS.items():
                yield _case(whole, way, bytes(change(bytearray(whole.data), rng)), number)
            other = rng.choice(kin).data
            yield _case(whole, "spliced", whole.data[: _inside(whole.data, rng)] + other[_inside(other, rng) :], number)


def mutate(data: bytes, rng: random.Random) -> bytes:
    """`data` (at least 2 bytes), damaged in one way; a PNG has right checksums afterwards."""
    return mended(bytes(rng.choice(list(_WAYS.values()))(bytearray(data), rng)))


def mended(data: bytes) -> bytes:
    """A PNG with right checksums, so far as its chunks can be followed; anything else as it is."""
    if not data.startswith(_PNG):
        return data
    out, at = bytearray(data), len(_PNG)
    while at + 12 <= len(out):
        end = at + 8 + struct.unpack_from(">I", out, at)[0]
        if end + 4 > len(out):
            break
        struct.pack_into(">I", out, end, zlib.crc32(out[at + 4 : end]))
        at = end + 4
    return bytes(out)


def _inside(data: bytes, rng: random.Random) -> int:
    return rng.randrange(1, len(data))


def _case(whole: Case, way: str, data: bytes, number: int) -> Case:
    return Case(whole.format, way, f"{whole.name} {number}", mended(data) if number % 2 else data)
