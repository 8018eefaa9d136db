"""The linear text model: hashed features times int8 weights, one calibrated probability for each category."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gatepost_server.domain.labels import CATEGORIES, Category
from gatepost_server.text.features import BUCKETS, hashed_views, rarity, weigh
from gatepost_server.text.lexicon import Match


@dataclass(frozen=True)
class LinearModel:
    """Weights of a one-vs-rest logistic regression over text.features.

    weights int8 (BUCKETS, k), scales float32 (k,): a weight is its expanded int8 times its category's scale.
    idf float32 (BUCKETS,). slope and shift float32 (k,): Platt's calibration, probability =
    sigmoid(slope * margin + shift).
    """

    categories: tuple[Category, ...]
    weights: NDArray[np.int8]
    scales: NDArray[np.float32]
    bias: NDArray[np.float32]
    idf: NDArray[np.float32]
    slope: NDArray[np.float32]
    shift: NDArray[np.float32]
    version: str

    def __post_init__(self) -> None:
        if self.weights.shape != (BUCKETS, len(self.categories)) or self.idf.shape != (BUCKETS,):
            raise ValueError(f"weights of shape {self.weights.shape} do not fit {BUCKETS} features")

    def margins(self, normalized: str, matches: Sequence[Match]) -> NDArray[np.float32]:
        """Uncalibrated log-odds, shape (k,)."""
        buckets, values = weigh(hashed_views(normalized, matches), self.idf)
        products = values @ expand(self.weights[buckets])
        return np.asarray(products * self.scales + self.bias, np.float32)

    def probabilities(self, normalized: str, matches: Sequence[Match]) -> NDArray[np.float32]:
        """Calibrated probabilities of one text by its form, shape (C,)."""
        return self.calibrated(normalized, self.margins(normalized, matches))

    def calibrated(self, normalized: str, margins: NDArray[np.float32]) -> NDArray[np.float32]:
        """Margins as probabilities in the order of CATEGORIES, (C,); 0 for an empty text and what is not learned."""
        scores = np.zeros(len(CATEGORIES), np.float32)
        if normalized:
            logits = self.slope * margins + self.shift
            scores[[CATEGORIES.index(category) for category in self.categories]] = 1.0 / (1.0 + np.exp(-logits))
        return scores

    def rarity(self, normalized: str) -> float:
        """How unlike the text that was learned from its neighbouring characters are; see `features.rarity`."""
        return rarity(normalized, self.idf)


def expand(weights: NDArray[np.int8]) -> NDArray[np.float32]:
    """int8 square roots as numbers from -1 to 1: most weights are small, and squaring spends the steps there."""
    roots = weights.astype(np.float32) / 127
    return np.asarray(roots * np.abs(roots), np.float32)


def read_model(path: Path) -> LinearModel:
    """Load an .npz written by training/text; its version is the first 12 hex digits of its SHA-256."""
    content = path.read_bytes()
    with np.load(path, allow_pickle=False) as arrays:
        categories = tuple(Category(name) for name in json.loads(str(arrays["categories"])))
        fields = {name: arrays[name] for name in ("weights", "scales", "bias", "idf", "slope", "shift")}
    fields["idf"] = fields["idf"].astype(np.float32)  # float16 in the file
    return LinearModel(categories=categories, version=hashlib.sha256(content).hexdigest()[:12], **fields)
