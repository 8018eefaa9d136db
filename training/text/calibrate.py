"""Turn margins into probabilities: Platt's scaling, then a shift that keeps kind lines below one half.

Platt, Probabilistic outputs for support vector machines (1999). The shift is chosen at a false-positive rate
on held-out composed kind lines, for a wrongly stopped greeting is what people meet first.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from gatepost_server.text.normalize import normalize
from training.text import compose
from training.text.data import LEARNED, Example

FALSE_POSITIVES = 0.0035  # of held-out kind lines above one half, for each category
MOST_LOST = 0.45  # of a category's held-out unkind lines: the guard of kind lines may cost no more than this
HELD_LINES = 3_000
_STEEPEST = 2.5  # separable held-out lines would ask for an endless slope

Margins = Callable[[Sequence[str]], NDArray[np.float32]]


def calibrate(margins: Margins, comments: Sequence[Example]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Slope and shift (k,) for probability = sigmoid(slope * margin + shift)."""
    rng = random.Random(11)
    kind = compose.kind_examples(rng, HELD_LINES, held=True)
    unkind = compose.unkind_examples(rng, HELD_LINES // 10, held=True)
    examples = [*comments, *kind, *unkind]
    found = margins([normalize(example.text) for example in examples])
    slopes, shifts = [], []
    is_kind = np.array([example.source == "kind" for example in examples])
    for column, category in enumerate(LEARNED):
        rows = [row for row, example in enumerate(examples) if category in example.labels]
        labels = np.array([examples[row].labels[category] for row in rows])
        platt = LogisticRegression(C=1.0, class_weight="balanced").fit(found[rows, column : column + 1], labels)
        slope = float(np.clip(platt.coef_[0, 0], 0.5, _STEEPEST))
        middle = -float(platt.intercept_[0]) / float(platt.coef_[0, 0])
        own = [row for row, example in enumerate(examples) if example.source == f"unkind_{category}"]
        floor = float(np.quantile(found[is_kind, column], 1.0 - FALSE_POSITIVES))
        floor = min(floor, float(np.quantile(found[own, column], MOST_LOST)))
        half = max(middle, floor)
        slopes.append(slope)
        shifts.append(-slope * half)
        flagged, recall = (found[is_kind, column] > half).mean(), (found[own, column] > half).mean()
        print(f"{category:10} slope {slope:.2f} half {half:.2f} kind flagged {flagged:.2%} recall {recall:.1%}")
    return np.asarray(slopes, np.float32), np.asarray(shifts, np.float32)
