"""One hostile image, and all of them."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP", "TIFF")


@dataclass(frozen=True, slots=True)
class Case:
    """A file, the format that it was or claims to be ("other" where none of ours), and what was done to it."""

    format: str
    kind: str
    name: str
    data: bytes

    @property
    def key(self) -> str:
        """Names the bytes."""
        return hashlib.sha256(self.data).hexdigest()[:16]


def sample(cases: Sequence[Case], count: int, seed: int) -> list[Case]:
    """About `count` cases: as many of each format and kind, so far as there are."""
    groups: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        groups.setdefault((case.format, case.kind), []).append(case)
    rng = random.Random(seed)
    share = max(1, count // len(groups))
    return [case for _, group in sorted(groups.items()) for case in rng.sample(group, min(share, len(group)))]


def distinct(cases: Iterator[Case]) -> Iterator[Case]:
    """Each file once."""
    seen: set[str] = set()
    for case in cases:
        if case.key not in seen:
            seen.add(case.key)
            yield case
