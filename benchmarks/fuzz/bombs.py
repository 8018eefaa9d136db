"""Crafted files: small, and made to take a reader's memory, time or stack."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

from PIL import Image

from benchmarks.fuzz.cases import Case

_HUGE = (16_385, 30_000, 65_535, 1 << 24, (1 << 31) - 1, (1 << 32) - 1)
_PNG = b"\x89PNG\r\n\x1a\n"


def bombs() -> Iterator[Case]:
    """Every bomb once."""
    for form, makers in {
        "PNG": (_png_sizes, _png_texts, _png_frames, _png_pixels),
        "JPEG": (_jpeg_sizes, _jpeg_segments),
        "GIF": (_gifs,),
        "BMP": (_bmps,),
        "WEBP": (_webps,),
        "TIFF": (_tiffs,),
        "AVIF": (_avifs,),
    }.items():
        for make in makers:
            for name, data in make():
                yield Case(form, "bomb", name, data)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png(
    width: int, height: int, *chunks: bytes, pixels: bytes | None = None, depth: int = 8, colour: int = 2
) -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    packed = zlib.compress(b"\0" * 64) if pixels is None else pixels
    return _PNG + header + b"".join(chunks) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _png_sizes() -> Iterator[tuple[str, bytes]]:
    for side in _HUGE:
        yield f"{side} x {side}", _png(side & 0xFFFFFFFF, side & 0xFFFFFFFF)
        yield f"{side} x 1", _png(side & 0xFFFFFFFF, 1)
    for side in (8_000, 16_000):
        yield f"{side} x {side}, pixels of zeros", _png(side, side, pixels=_zeros(side * (side * 3 + 1)))


def _zeros(size: int) -> bytes:
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    packed = [packer.compress(block) for _ in range(size >> 20)]
    return b"".join([*packed, packer.compress(bytes(size & 0xFFFFF)), packer.flush()])


def _png_texts() -> Iterator[tuple[str, bytes]]:
    packed = zlib.compress(bytes(50 << 20), 9)
    for kind, head in ((b"zTXt", b"c\0\0"), (b"iTXt", b"c\0\1\0en\0\0"), (b"iCCP", b"n\0\0")):
        yield f"{kind.decode()} of 50 MiB", _png(8, 8, _chunk(kind, head + packed))
        yield f"200 {kind.decode()} of 1 MiB", _png(8, 8, _chunk(kind, head + zlib.compress(bytes(1 << 20), 9)) * 200)
        yield f"{kind.decode()} inside {kind.decode()}", _png(8, 8, _chunk(kind, head + zlib.compress(head + packed)))
        yield f"{kind.decode()} that does not inflate", _png(8, 8, _chunk(kind, head + b"\xff" * 40))
    yield "200,000 chunks", _png(8, 8, _chunk(b"tEXt", b"a\0b") * 200_000)
    yield "palette of 3 MB", _png(8, 8, _chunk(b"PLTE", bytes(3 << 20)), colour=3)
    yield "chunk of 4 GB", _PNG + struct.pack(">I", 0xFFFFFFFF) + b"IHDR" + bytes(30)


def _png_frames() -> Iterator[tuple[str, bytes]]:
    control = struct.pack(">IIIIIHHBB", 0, 8, 8, 0, 0, 1, 1, 0, 0)
    for promised in (33, 10_000, 0xFFFFFFFF):
        yield f"{promised} frames promised", _png(8, 8, _chunk(b"acTL", struct.pack(">II", promised, 0)))
    frames = _chunk(b"fcTL", control) * 10_000
    yield "10,000 frames", _png(8, 8, _chunk(b"acTL", struct.pack(">II", 10_000, 0)), frames)
    outside = struct.pack(">IIIIIHHBB", 0, 0x7FFFFFFF, 0x7FFFFFFF, 0xFFFFFFF0, 8, 1, 1, 0, 0)
    yield "frame outside", _png(8, 8, _chunk(b"acTL", struct.pack(">II", 1, 0)), _chunk(b"fcTL", outside))


def _png_pixels() -> Iterator[tuple[str, bytes]]:
    yield "more pixels than promised", _png(8, 8, pixels=_zeros(100 << 20))
    yield "no pixels", _png(4_000, 4_000, pixels=b"")
    yield "pixels that are no zlib", _png(64, 64, pixels=bytes(500))
    for depth, colour in ((16, 6), (3, 2), (16, 3), (255, 255)):
        yield f"depth {depth}, colour {colour}", _png(64, 64, depth=depth, colour=colour)


def _saved(kind: str, size: tuple[int, int] = (64, 64), **options: object) -> bytearray:
    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 40)).save(out, kind, **options)
    return bytearray(out.getvalue())


def _jpeg_sizes() -> Iterator[tuple[str, bytes]]:
    for side in (0, 1, 8_000, 16_384, 65_535):
        data = _saved("JPEG")
        struct.pack_into(">HH", data, data.index(b"\xff\xc0") + 5, side, side)
        yield f"{side} x {side}", bytes(data)
    for sampling in (0x00, 0x44, 0xFF, 0x1F):
        data = _saved("JPEG")
        data[data.index(b"\xff\xc0") + 11] = sampling
        yield f"sampling {sampling:#x}", bytes(data)


def _jpeg_segments() -> Iterator[tuple[str, bytes]]:
    data = bytes(_saved("JPEG", progressive=True))
    scan = data[data.rindex(b"\xff\xda") : -2]
    for scans in (99, 500, 20_000):
        yield f"{scans} scans", data[:-2] + scan * scans + data[-2:]
    plain = bytes(_saved("JPEG"))
    yield "50,000 comments", plain[:2] + b"\xff\xfe\0\2" * 50_000 + plain[2:]
    yield "1 MB of fill bytes", plain[:2] + b"\xff" * (1 << 20) + plain[2:]
    yield "255 profiles", plain[:2] + b"".join(
        b"\xff\xe2" + struct.pack(">H", 65_535) + b"ICC_PROFILE\0" + bytes([n, 255]) + bytes(65_519)
        for n in range(1, 256)
    ) + plain[2:]  # fmt: skip
    for name, directory in (("loop", 8), ("behind the end", 0xFFFFFFF0)):
        exif = b"Exif\0\0II*\0" + struct.pack("<IHHHIII", 8, 1, 0x8769, 4, 1, directory, directory)
        yield f"EXIF: {name}", plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:]


def _gifs() -> Iterator[tuple[str, bytes]]:
    out = io.BytesIO()
    Image.new("P", (8, 8)).save(out, "GIF")
    small = out.getvalue()
    at = small.index(b"\x2c\0\0\0\0")
    head, body = small[:at], small[at:-1]
    for frames in (33, 10_000, 100_000):
        yield f"{frames} frames", head + body * frames + b";"
    for side in (8_000, 65_535):
        sized = head[:6] + struct.pack("<HH", side, side) + head[10:]
        yield f"screen of {side} x {side}", sized + body + b";"
        large = body[:5] + struct.pack("<HH", side, side) + body[9:]
        yield f"frame of {side} x {side}", head + large + b";"
        yield f"32 frames of {side} x {side}", head + large * 32 + b";"
        yield f"frame at {side}", head + body[:1] + struct.pack("<HH", side, side) + body[5:] + b";"
    yield "1 MB of comments", small[:-1] + b"\x21\xfe" + b"\1a" * 500_000 + b"\0;"
    for size in (0, 1, 12, 255):
        yield f"codes of {size} bits", head + body[:10] + bytes([size]) + body[11:] + b";"
    yield "no trailer", small[:-1]


def _bmps() -> Iterator[tuple[str, bytes]]:
    for width, height in ((8_000, 8_000), (16_000, -16_000), (-5, 5), (1 << 30, 1 << 30), (5, -(1 << 31))):
        data = _saved("BMP")
        struct.pack_into("<ii", data, 18, width, height)
        yield f"{width} x {height}", bytes(data)
    for at, name in (
        (10, "offset of pixels"),
        (14, "size of header"),
        (28, "depth"),
        (30, "compression"),
        (46, "colours"),
    ):
        for value in (0, 1, 3, 5, 0x7FFFFFFF, 0xFFFFFFFF):
            data = _saved("BMP")
            struct.pack_into("<H" if at == 28 else "<I", data, at, value & (0xFFFF if at == 28 else 0xFFFFFFFF))
            yield f"{name} {value}", bytes(data)
    for rows, name in (
        (b"\0\1", "at once at its end"),
        (b"\xff\1" * 50_000 + b"\0\1", "over its end"),
        (b"\0\2\xff\xff" * 9_000 + b"\0\1", "that jumps"),
    ):
        header = struct.pack("<IiiHHIIiiII", 40, 4_000, 4_000, 1, 8, 1, len(rows), 0, 0, 256, 0)
        yield f"run lengths {name}", b"BM" + struct.pack("<IHHI", 0, 0, 0, 1_078) + header + bytes(1_024) + rows


def _webps() -> Iterator[tuple[str, bytes]]:
    for side in (8_000, 16_000, 1 << 24):
        body = b"VP8X" + struct.pack("<I", 10) + b"\2\0\0\0" + (side - 1).to_bytes(3, "little") * 2
        yield f"canvas of {side} x {side}", b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body
        frame = b"ANMF" + struct.pack("<I", 16) + bytes(6) + (side - 1).to_bytes(3, "little") * 2 + bytes(4)
        yield (
            f"32 empty frames of {side}",
            b"RIFF" + struct.pack("<I", len(body + frame * 32) + 4) + b"WEBP" + body + frame * 32,
        )
    for size in (0, 4, 0x7FFFFFFF, 0xFFFFFFFF):
        data = _saved("WEBP")
        struct.pack_into("<I", data, 4, size)
        yield f"RIFF of {size} bytes", bytes(data)
        data = _saved("WEBP")
        struct.pack_into("<I", data, 16, size)
        yield f"chunk of {size} bytes", bytes(data)
    for lossless, form in ((True, b"VP8L"), (False, b"VP8 ")):
        data = _saved("WEBP", lossless=lossless)
        at = data.index(form) + (9 if lossless else 14)
        struct.pack_into("<I", data, at, 0x0FFFFFFF if lossless else 0x3FFF3FFF)
        yield f"{form.decode().strip()} of 16383 x 16383", bytes(data)


def _tiffs() -> Iterator[tuple[str, bytes]]:
    def page(following: int, *tags: tuple[int, int, int, int]) -> bytes:
        return (
            struct.pack("<H", len(tags))
            + b"".join(struct.pack("<HHII", *tag) for tag in tags)
            + struct.pack("<I", following)
        )

    size = ((256, 4, 1, 64), (257, 4, 1, 64))
    one = len(page(0, *size))
    yield "page that follows itself", b"II*\0\x08\0\0\0" + page(8, *size)
    yield "two pages in a circle", b"II*\0\x08\0\0\0" + page(8 + one, *size) + page(8, *size)
    chain = b"".join(page(8 + one * (n + 1), *size) for n in range(10_000))
    yield "10,000 pages", b"II*\0\x08\0\0\0" + chain
    for tag, name in ((330, "sub-pages"), (34665, "EXIF"), (34853, "GPS"), (40965, "interoperability")):
        yield f"{name} in a circle", b"II*\0\x08\0\0\0" + page(0, *size, (tag, 4, 1, 8))
    for count in (0xFFFF, 1_001):
        yield f"page of {count} tags", b"II*\0\x08\0\0\0" + struct.pack("<H", count) + bytes(100)
    for tag in (256, 257, 258, 259, 262, 277, 278, 284, 317, 320, 339, 273, 279):
        for value in (0, 0xFFFF, 0xFFFFFFFF):
            data = _saved("TIFF")
            at = struct.unpack_from("<I", data, 4)[0]
            for index in range(struct.unpack_from("<H", data, at)[0]):
                entry = at + 2 + 12 * index
                if struct.unpack_from("<H", data, entry)[0] == tag:
                    struct.pack_into("<HHII", data, entry, tag, 4, 1, value)
            yield f"tag {tag} of {value}", bytes(data)
    repeated = struct.pack("<HHII", 273, 4, 400_000, 8 + 2 + 12_000 + 4) * 1_000
    yield (
        "strips named 400 million times",
        b"II*\0" + struct.pack("<IH", 8, 1_000) + repeated + bytes(4) + b"\xff" * 1_600_000,
    )
    out = io.BytesIO()
    Image.new("L", (8_000, 8_000)).save(out, "TIFF", compression="tiff_adobe_deflate")
    yield "64 megapixels out of 60 KB", out.getvalue()


def _avifs() -> Iterator[tuple[str, bytes]]:
    brand = struct.pack(">I4s4sI4s", 20, b"ftyp", b"avif", 0, b"avif")
    for depth in (7, 100, 5_000):
        body = struct.pack(">I4s", 8, b"free")
        for _ in range(depth):
            body = struct.pack(">I4s", 8 + len(body), b"moov") + body
        yield f"{depth} nested boxes", brand + body
    yield "200,000 boxes", brand + struct.pack(">I4s", 8, b"free") * 200_000
    for claimed in (0, 1, 2, 7, 0xFFFFFFFF):
        yield f"box of {claimed} bytes", brand + struct.pack(">I4s", claimed, b"meta") + bytes(64)
    out = io.BytesIO()
    Image.new("RGB", (64, 64)).save(out, "AVIF", speed=10)
    for side in (0, 1, 8_000, 65_536, 0xFFFFFFFF):
        data = bytearray(out.getvalue())
        struct.pack_into(">II", data, data.index(b"ispe") + 8, side, side)
        yield f"{side} x {side}", bytes(data)
    for box in (b"iloc", b"iinf", b"ipma", b"pitm", b"av1C"):
        for value in (0, 0x7FFFFFFF, 0xFFFFFFFF):
            data = bytearray(out.getvalue())
            struct.pack_into(">I", data, data.index(box) + 8, value)
            yield f"{box.decode()} of {value}", bytes(data)
