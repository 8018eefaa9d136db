"""Hashed features of one normalised line: how it is written, how it sounds, which listed words it holds.

Character n-grams and a pinyin view beside them are what keeps recall under homophones and pinyin
spellings; see docs/models/text.md for the measurements.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from gatepost_server.text.lexicon import Form, Match
from gatepost_server.text.normalize import compact
from gatepost_server.text.pinyin import sound

BUCKETS = 1 << 19
_MAX_CHARACTERS = 600  # a line is never longer; more would only dilute it

_URL = re.compile(r"https?://\S+|www\.\S+")
_MENTION = re.compile(r"@[a-z_]\w+")
_NUMBER = re.compile(r"\d{3,}")
_WORDS = re.compile(r"[a-z*']+")


Counts = tuple[NDArray[np.int64], NDArray[np.float32]]  # buckets (n,), ascending; 1 + ln(count) (n,)


def hashed_views(normalized: str, matches: Sequence[Match]) -> tuple[Counts, ...]:
    """Hashed counts of each view that is not empty. `matches` are the lexicon's for the same text."""
    text = shape(normalized)
    views = (_count(_written(text)), _count(_words(text)), _count(_heard(text)), _count(_listed(matches)))
    return tuple(view for view in views if len(view[0]))


def weigh(views: Sequence[Counts], idf: NDArray[np.float32]) -> Counts:
    """One sparse row (buckets, values): counts times idf, each view scaled to unit length; may be empty."""
    if not views:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    weighed = [counts * idf[buckets] for buckets, counts in views]
    values = [view / max(float(np.sqrt(np.square(view).sum())), 1e-6) for view in weighed]
    return np.concatenate([buckets for buckets, _ in views]), np.concatenate(values).astype(np.float32)


def rarity(normalized: str, idf: NDArray[np.float32]) -> float:
    """Mean idf of the pairs of neighbouring characters: low for running text, high for characters met by chance.

    As rare as can be for fewer than two characters.
    """
    pairs = [f"c{first}{second}" for first, second in pairwise(normalized)]
    return float(np.mean([idf[_bucket(pair)] for pair in pairs])) if pairs else float(idf.max())


def shape(normalized: str) -> str:
    """The text with addresses, names and numbers replaced by what they are."""
    text = _URL.sub(" #url ", normalized[:_MAX_CHARACTERS])
    text = _MENTION.sub(" #user ", text)
    text = _NUMBER.sub(lambda match: f" #{min(len(match.group()), 12)} ", text)
    return compact(text).strip()


def _written(text: str) -> Iterator[str]:
    padded = f"^{text}$" if text else ""
    for size in (1, 2, 3, 4):
        for start in range(len(padded) - size + 1):
            yield "c" + padded[start : start + size]


def _words(text: str) -> Iterator[str]:
    words = _WORDS.findall(text)
    for first, word in enumerate(words):
        yield "w" + word
        if first + 1 < len(words):
            yield f"w{word} {words[first + 1]}"


def _heard(text: str) -> Iterator[str]:
    units = sound(text).split()
    for size in (1, 2, 3):
        for start in range(len(units) - size + 1):
            yield "p" + " ".join(units[start : start + size])


def _listed(matches: Sequence[Match]) -> Iterator[str]:
    for match in matches:
        if match.form in (Form.INITIALS, Form.GUESSED):
            continue  # too seldom in training lines to be learned
        yield f"l{match.entry.category}/{match.entry.strength}/{match.form}"


def _bucket(token: str) -> int:
    return crc32(token.encode()) % BUCKETS


def _count(tokens: Iterable[str]) -> Counts:
    hashes = [_bucket(token) for token in tokens]
    buckets, counts = np.unique(np.asarray(hashes, dtype=np.int64), return_counts=True)
    return buckets, (1.0 + np.log(counts)).astype(np.float32)
