"""Telling letters from ornaments: stars, hearts and pictograms that the detector took for text.

A logistic regression over what the reading says and what the crop looks like (training/ocr/ornaments.py). Only short or
unsure readings are asked about, so that nothing that reads clearly is ever taken for an ornament.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from gatepost_server.stages.ocr_recognize.batches import Crop

FILE = Path(__file__).with_name("ornaments.json")
SURE, LONG = 0.75, 4
"""A reading of at least so many letters, read at least as surely as that, is text and is not asked about."""

FEATURES = (
    *("confidence", "confidence squared", "letters", "one letter", "two letters", "three letters"),
    *("han", "latin", "digits", "signs", "round", "unlike"),
    *("wide", "per width", "two colours", "saturation", "colours", "ink", "edges", "contrast"),
    *("confidence x letters", "confidence x two colours", "confidence x han", "confidence x latin"),
)
_ROUND = frozenset("oO0●○•·.,。、〇QCDUeéè一-~'\"")  # what circles, dots and strokes are read as
_SIDE = 32  # pixels to which crops are shrunk


@dataclass(frozen=True, slots=True)
class Ornaments:
    """The regression: weights by feature, a bias, and the log odds of text below which a reading is an ornament."""

    weights: NDArray[np.float64]
    bias: float
    least: float

    @classmethod
    @cache
    def load(cls, path: Path = FILE) -> Self:
        """Raises OSError, KeyError or ValueError where the file is not there or of other features."""
        row: Mapping[str, object] = json.loads(path.read_text(encoding="utf-8"))
        weights = dict(row["weights"])  # type: ignore[call-overload] # JSON
        if set(weights) != set(FEATURES):
            raise ValueError(f"{path.name} belongs to other features")
        return cls(np.array([weights[name] for name in FEATURES]), float(row["bias"]), float(row["least"]))  # type: ignore[arg-type]

    def is_one(self, text: str, confidence: float, crop: Crop) -> bool:
        """Whether a reading of `crop` (height, width, 3 RGB) is no text at all."""
        if not is_doubtful(text, confidence):
            return False
        return bool(features(text, confidence, crop) @ self.weights + self.bias < self.least)


def is_doubtful(text: str, confidence: float) -> bool:
    """Whether a reading is short or unsure enough to be asked about."""
    return confidence < SURE or _letters(text) < LONG


def features(text: str, confidence: float, crop: Crop) -> NDArray[np.float64]:
    """In the order of FEATURES."""
    letters, kinds = _letters(text), [unicodedata.category(character) for character in text]
    count = max(len(text), 1)
    han = sum("\u4e00" <= character <= "\u9fff" for character in text) / count
    latin = sum(character.isascii() and character.isalpha() for character in text) / count
    digits = sum(kind == "Nd" for kind in kinds) / count
    signs = sum(kind[0] in "PSZ" for kind in kinds) / count
    like_rings = sum(character in _ROUND for character in text) / count
    unlike = sum(not (character.isascii() or "\u4e00" <= character <= "\u9fff") for character in text) / count
    height, width = crop.shape[:2]
    wide = min(max(width / height, height / width), 20.0)
    two, saturation, colours, ink, edges, contrast = _look(crop)
    return np.array(
        [
            *(confidence, confidence**2, min(letters, 12), letters == 1, letters == 2, letters == 3),
            *(han, latin, digits, signs, like_rings, unlike),
            *(np.log(wide), min(letters / wide, 4.0), two, saturation, colours, ink, edges, contrast),
            *(confidence * min(letters, 12), confidence * two, confidence * han, confidence * latin),
        ],
        dtype=np.float64,
    )


def _letters(text: str) -> int:
    return sum(character.isalnum() for character in text)


def _look(crop: Crop) -> tuple[float, float, float, float, float, float]:
    """How far two colours explain the crop (0 to 1), saturation, number of colours, ink, edges, contrast."""
    scale = _SIDE / max(crop.shape[0], 1)
    width = int(np.clip(round(crop.shape[1] * scale), 8, 8 * _SIDE))
    small = cv2.resize(np.ascontiguousarray(crop), (width, _SIDE), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    _, mask = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    dark = mask == 0
    ink = float(min(dark.mean(), 1 - dark.mean()))
    pixels = small.reshape(-1, 3).astype(np.float32)
    flat = dark.reshape(-1)
    within = sum(float(part.var(axis=0).sum()) * len(part) for part in (pixels[flat], pixels[~flat]) if len(part))
    total = float(pixels.var(axis=0).sum()) * len(pixels)
    two = 1 - within / total if total > 0 else 0.0
    saturation = float(cv2.cvtColor(small, cv2.COLOR_RGB2HSV)[..., 1].mean()) / 255
    colours = len(np.unique((small // 32).reshape(-1, 3), axis=0)) / 64
    edges = float((cv2.Canny(grey, 60, 160) > 0).mean())
    contrast = float(np.percentile(grey, 95) - np.percentile(grey, 5)) / 255
    return two, saturation, min(colours, 4.0), ink, edges, contrast
