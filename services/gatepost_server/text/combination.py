"""Meaning and form as one probability: a logistic regression for each category over what both say of a text.

The encoder knows what a text means, the linear model how it is written and how it sounds, the lexicon what nobody
means well. Weights come from training/text/combine.py and are never negative where more evidence must not mean less.

Malice is often clear before its kind is: a wish may be an insult or an ill omen. So one more regression, over what is
known in all categories, says whether a text harms at all, and the likeliest category is at least as likely as that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gatepost_server.domain.labels import CATEGORIES, Category
from gatepost_server.text.characters import count_han, count_letters
from gatepost_server.text.lexicon import Form, Match, Strength

Floats = NDArray[np.float32]

# Columns of `features`. Those of MONOTONE weigh zero or more.
FEATURES = (
    "meaning",
    "meaning elsewhere",
    "form",
    "strong as written",
    "strong otherwise",
    "weak",
    "length",
    "chinese",
)
MONOTONE = ("meaning", "form", "strong as written", "strong otherwise")
_MOST = 8.0  # log odds of either model beyond this say no more


def features(
    text: str, matches: Sequence[Match], logits: Floats, margins: Floats, columns: Sequence[Category]
) -> Floats:
    """What is known of one normalised text, shape (k, len(FEATURES)); logits and margins (k,) are by `columns`."""
    known = np.zeros((len(columns), len(FEATURES)), np.float32)
    meaning = np.clip(logits, -_MOST, _MOST)
    known[:, 0] = meaning
    for row in range(len(columns)):
        known[row, 1] = max(float(np.delete(meaning, row).max(initial=-_MOST)), -_MOST)
    known[:, 2] = np.clip(margins, -_MOST, _MOST)
    for match in matches:
        if match.entry.category in columns:
            row = columns.index(match.entry.category)
            strong = match.entry.strength is Strength.STRONG
            known[row, 5 if not strong else 3 if match.form is Form.WRITTEN else 4] = 1.0
    known[:, 6] = np.log1p(min(count_letters(text), 60)) - 2.0
    known[:, 7] = float(count_han(text) > 0)
    return known


def in_all(known: Floats) -> Floats:
    """What `features` of a text say together, (2 k + 5,): meaning and form by category, the largest of the rest."""
    return np.concatenate([known[:, 0], known[:, 2], known[:, 3:].max(axis=0)])


@dataclass(frozen=True, slots=True)
class Combination:
    """Weights (k, len(FEATURES)) and biases (k,) by category; weights (2 k + 5,) and bias of harm in any of them."""

    categories: tuple[Category, ...]
    weights: Floats
    biases: Floats
    any_weights: Floats
    any_bias: float
    version: str

    def __post_init__(self) -> None:
        count = len(self.categories)
        if self.weights.shape != (count, len(FEATURES)) or self.biases.shape != (count,):
            raise ValueError(f"weights of shape {self.weights.shape} do not fit {len(FEATURES)} features")
        if self.any_weights.shape != (2 * count + len(FEATURES) - 3,):
            raise ValueError(f"weights of shape {self.any_weights.shape} do not fit {count} categories")

    def probabilities(self, text: str, matches: Sequence[Match], logits: Floats, margins: Floats) -> Floats:
        """In the order of CATEGORIES, shape (C,); 0 for categories not combined and for an empty text."""
        scores = np.zeros(len(CATEGORIES), np.float32)
        if text:
            known = features(text, matches, logits, margins, self.categories)
            odds = (known * self.weights).sum(axis=1) + self.biases
            likeliest = int(odds.argmax())
            odds[likeliest] = max(odds[likeliest], float(in_all(known) @ self.any_weights) + self.any_bias)
            odds = np.clip(odds, -50, 50)
            scores[[CATEGORIES.index(category) for category in self.categories]] = 1.0 / (1.0 + np.exp(-odds))
        return scores


def read_combination(path: Path) -> Combination:
    """Load combination.json of training/text; raises OSError, ValueError or KeyError where it is missing or broken."""
    content = path.read_bytes()
    document = json.loads(content)
    if tuple(document["features"]) != FEATURES:
        raise ValueError(f"{path} was made for other features")
    rows = document["categories"]
    return Combination(
        categories=tuple(Category(name) for name in rows),
        weights=np.asarray([row["weights"] for row in rows.values()], np.float32),
        biases=np.asarray([row["bias"] for row in rows.values()], np.float32),
        any_weights=np.asarray(document["any"]["weights"], np.float32),
        any_bias=float(document["any"]["bias"]),
        version=hashlib.sha256(content).hexdigest()[:12],
    )
