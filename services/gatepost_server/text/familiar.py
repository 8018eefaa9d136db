"""What is familiar in ordinary text, so that what is not may be taken for a disguise. Made by training/text."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

PAIRS, WORDS, TELLING = "familiar.npz", "abbreviations.txt", "telling.txt"
_BITS = 1 << 21


@dataclass(frozen=True, slots=True)
class Familiar:
    """`seen` (2 ** 18,) uint8: bits by hash of pairs of Chinese characters that are neighbours in ordinary text.
    `latin`: words in Latin letters in such text. `telling`: characters that begin hardly anything harmless."""

    seen: NDArray[np.uint8]
    latin: frozenset[str]
    telling: frozenset[str]
    version: str

    def is_seen_pair(self, pair: str) -> bool:
        """Whether two characters are neighbours in ordinary text; wrongly so for one pair in fifteen."""
        place = _bit(pair)
        return bool(self.seen[place >> 3] >> (7 - (place & 7)) & 1)


def bits(pairs: Iterable[str]) -> NDArray[np.uint8]:
    """The set of pairs as packed bits."""
    flags = np.zeros(_BITS, np.bool_)
    flags[[_bit(pair) for pair in pairs]] = True
    return np.packbits(flags)


def read_familiar(folder: Path) -> Familiar | None:
    """What training/text wrote into `folder`; None where it did not."""
    if not (folder / PAIRS).exists():
        return None
    with np.load(folder / PAIRS, allow_pickle=False) as arrays:
        seen = arrays["seen"]
    if seen.shape != (_BITS // 8,):
        raise ValueError(f"{folder / PAIRS} holds {seen.shape} bytes")
    contents = [(folder / name).read_bytes() for name in (PAIRS, WORDS, TELLING)]
    latin, telling = (frozenset(content.decode().split()) for content in contents[1:])
    return Familiar(seen, latin, telling, hashlib.sha256(b"".join(contents)).hexdigest()[:12])


def _bit(pair: str) -> int:
    return crc32(pair.encode()) % _BITS
