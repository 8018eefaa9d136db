"""A hand: a face, others for the characters that it lacks, and the split's pictograms for emoji."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from PIL import Image

from benchmarks.cards import pictures
from benchmarks.cards.fonts import Face
from benchmarks.cards.lettering import Ink
from benchmarks.cards.splits import FALLBACK, Split

_UNSEEN = {"Cf", "Cc"}  # format and control characters leave no ink
_JOINED = re.compile("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")  # variation selectors and skin tones
_TALL = 0.88  # a pictogram's top above the base line, in sizes
_WIDE = 1.12  # its advance


class UnwritableError(ValueError):
    """No font has the character and no pictogram set draws it."""


@dataclass(frozen=True, slots=True)
class Hand:
    """Writes any text. A lettering.Pen."""

    face: Face
    split: Split

    def parts(self, text: str) -> Sequence[str]:
        return _clusters(text)

    def length(self, text: str, size: int) -> float:
        return sum(_advance(run, face, size) for run, face in self._runs(text))

    def box(self, text: str, size: int) -> tuple[float, float, float, float]:
        at, boxes = 0.0, []
        for run, face in self._runs(text):
            left, top, right, bottom = (
                face.box(run, size) if face else (0.0, -_TALL * size, size * 1.0, size * (1 - _TALL))
            )
            boxes.append((at + left, top, at + right, bottom))
            at += _advance(run, face, size)
        if not boxes:
            raise UnwritableError(f"{text!r} leaves no ink")
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        return min(lefts), min(tops), max(rights), max(bottoms)

    def write(self, image: Image.Image, at: tuple[float, float], text: str, size: int, ink: Ink, anchor: str) -> None:
        x, y = at
        runs = self._runs(text)
        if anchor == "mm" and len(runs) == 1 and runs[0][1]:
            runs[0][1].write(image, at, runs[0][0], size, ink, anchor)
            return
        if anchor == "mm":
            x, y = x - self.length(text, size) / 2, y + size * (_TALL - 0.5)
        for run, face in runs:
            if face:
                face.write(image, (x, y), run, size, ink, "ls")
            else:
                picture = Image.fromarray(pictures.sprite(_code(run), self.split, size))
                image.alpha_composite(picture, (max(0, round(x)), max(0, round(y - _TALL * size))))
            x += _advance(run, face, size)

    def _runs(self, text: str) -> tuple[tuple[str, Face | None], ...]:
        return _runs(self, text)


def _advance(run: str, face: Face | None, size: int) -> float:
    return face.length(run, size) if face else _WIDE * size


@lru_cache(maxsize=4096)
def _runs(hand: Hand, text: str) -> tuple[tuple[str, Face | None], ...]:
    """Neighbours that one face writes, together; every pictogram (None) alone."""
    chosen = [_chosen(hand, cluster) for cluster in _clusters(text)]
    runs: list[tuple[str, Face | None]] = []
    for face, group in groupby(chosen, key=lambda pair: pair[1]):
        written = [cluster for cluster, _ in group]
        runs += [("".join(written), face)] if face else [(cluster, None) for cluster in written]
    return tuple(runs)


def _chosen(hand: Hand, cluster: str) -> tuple[str, Face | None]:
    plain = _JOINED.sub("", cluster)
    faces = (hand.face, *FALLBACK)
    pictorial = plain != cluster or ord(cluster[0]) >= 0x1F000
    if pictorial and pictures.drawn(_code(cluster), hand.split):
        return cluster, None
    if pictorial and pictures.drawn(_code(plain), hand.split):
        return plain, None
    for face in faces:
        if face.can_write(plain):
            return plain, face
    for face in faces:
        if face.can_write(plain[0]):  # a mark that no font can add is left out
            return plain[0], face
    if pictures.drawn(_code(plain), hand.split):
        return plain, None
    raise UnwritableError(f"no font has {cluster!r}: {' '.join(f'U+{ord(c):04X}' for c in cluster)}")


def _code(cluster: str) -> str:
    return "-".join(f"{ord(character):X}" for character in cluster)


@lru_cache(maxsize=4096)
def _clusters(text: str) -> tuple[str, ...]:
    """Characters with the marks, selectors and joined emoji that follow; invisible characters are left out."""
    clusters: list[str] = []
    joining = False
    for character in text:
        if character == "\u200d" and clusters and ord(clusters[-1][-1]) > 0x2190:
            joining = True
            continue
        if unicodedata.category(character) in _UNSEEN and character not in "\t":
            continue
        if joining and ord(character) > 0x2190:
            clusters[-1] += "\u200d" + character
        elif clusters and (unicodedata.category(character) in ("Mn", "Me") or _JOINED.match(character)):
            clusters[-1] += character
        else:
            clusters.append(" " if character.isspace() else character)
        joining = False
    return tuple(clusters)
