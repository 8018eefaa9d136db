"""Telling pictures from everything else by their first bytes, whatever a server calls them.

What browsers show in an <img> of any declared type (WHATWG MIME Sniffing Standard, section 6.1; ISO/IEC 14496-12 and
23008-12 for the brands), and the formats that gatepost judges besides.
"""

from __future__ import annotations

_MARKS = (
    b"\xff\xd8\xff",  # JPEG
    b"\x89PNG\r\n\x1a\n",  # PNG and APNG
    b"GIF87a",
    b"GIF89a",
    b"II*\x00",  # TIFF
    b"MM\x00*",
    b"\x00\x00\x01\x00",  # ICO
    b"\x00\x00\x02\x00",  # CUR
    b"\x00\x00\x00\x0cJXL ",  # JPEG XL
    b"\xff\x0a",
    b"\x00\x00\x00\x0cjP  ",  # JPEG 2000
    b"\xff\x4f\xff\x51",
)
_BRANDS = frozenset(
    {b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"mif2", b"msf1", b"miaf"}
)
_BMP_HEADERS = range(12, 125)  # bytes of the header after the file header, of all versions of BMP

HEAD = 512  # that many first bytes are always enough


def is_picture(head: bytes) -> bool | None:
    """Whether a body that begins with these bytes is a picture; None where more bytes may still make it one."""
    if head.startswith(_MARKS):
        return True
    answers = (_webp(head), _boxes(head), _bmp(head), *(_still(head, mark) for mark in _MARKS))
    if True in answers:
        return True
    return None if None in answers else False


def _still(head: bytes, mark: bytes) -> bool | None:
    return None if len(head) < len(mark) and mark.startswith(head) else False


def _webp(head: bytes) -> bool | None:
    if head[:4] != b"RIFF"[: len(head)]:
        return False
    return None if len(head) < 12 else head[8:12] == b"WEBP"


def _boxes(head: bytes) -> bool | None:
    """AVIF, HEIF and their kin: any of the brands that a file claims may be what a browser goes by."""
    if head[:1] != b"\x00"[: len(head)] or head[4:8] != b"ftyp"[: max(0, len(head) - 4)]:
        return False
    if len(head) < 16:
        return None
    size = int.from_bytes(head[:4], "big")
    if size < 16 or size > HEAD:
        return True  # brands that cannot all be seen: no ordinary video begins like that
    if not _BRANDS.isdisjoint(head[at : at + 4] for at in (8, *range(16, min(size, len(head)) - 3, 4))):
        return True
    return None if len(head) < size else False


def _bmp(head: bytes) -> bool | None:
    if head[:2] != b"BM"[: len(head)]:
        return False
    # Two letters are no proof: plain text may begin with them.
    return None if len(head) < 18 else int.from_bytes(head[14:18], "little") in _BMP_HEADERS
