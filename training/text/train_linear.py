"""Train the model of form: hashed n-grams and pinyin views, one logistic regression for each category.

    python -m training.text.train_linear --data DATA

Writes model_repository/text_toxicity/1/weights.npz. Seeded; the same data give the same weights. Learns from the
same mix as the encoder, two epochs of it, and reads no dev or evaluation file.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from gatepost_server.text.classifier import expand
from gatepost_server.text.features import BUCKETS, Counts, hashed_views, weigh
from gatepost_server.text.lexicon import Lexicon, read_lexicon
from training.text import data
from training.text.calibrate import calibrate
from training.text.data import LEARNED, readings
from training.text.mix import Line, Mix, is_held_out

OUT = Path(__file__).parents[2] / "model_repository/text_toxicity/1"
SEED = 7
EPOCHS = 2  # of the encoder's mix, each with other disguises and fillings
TOLERANCE = 1e-2  # liblinear's; coarse, so that nine fits on 50 million non-zeros take minutes
COST = 4.0  # inverse of the regularisation, as scikit-learn's C


def gather(folder: Path, lexicon: Lexicon) -> list[Line]:
    """Some epochs of the mix; a line that comes again counts once more instead."""
    mix = Mix(folder, lexicon, readings())
    known: dict[tuple[str, bytes, bytes], Line] = {}
    counts: Counter[tuple[str, bytes, bytes]] = Counter()
    for line in (line for epoch in range(EPOCHS) for line in mix.epoch(SEED + epoch)):
        key = (line.text, line.targets.tobytes(), line.weights.tobytes())
        known.setdefault(key, line)
        counts[key] += 1
    return [replace(line, weights=line.weights * np.sqrt(counts[key])) for key, line in known.items()]


def views_of(texts: Iterable[str], lexicon: Lexicon) -> list[tuple[Counts, ...]]:
    """Hashed views of normalised texts."""
    return [hashed_views(text, lexicon.find(text)) for text in texts]


def inverse_frequencies(views: Sequence[tuple[Counts, ...]]) -> NDArray[np.float32]:
    """Smoothed idf of every bucket, shape (BUCKETS,); 0 for features seen in fewer than two lines."""
    seen = np.zeros(BUCKETS, np.int64)
    for line in views:
        for buckets, _ in line:
            seen[buckets] += 1
    idf = np.log((1 + len(views)) / (1 + seen)) + 1
    return np.where(seen < 2, 0.0, idf).astype(np.float16).astype(np.float32)


def matrix(views: Sequence[tuple[Counts, ...]], idf: NDArray[np.float32]) -> csr_matrix:
    """Rows of features, shape (lines, BUCKETS)."""
    rows = [weigh(line, idf) for line in views]
    starts = np.cumsum([0, *(len(buckets) for buckets, _ in rows)])
    buckets = np.concatenate([buckets for buckets, _ in rows])
    values = np.concatenate([values for _, values in rows])
    return csr_matrix((values, buckets, starts), shape=(len(rows), BUCKETS), dtype=np.float32)


def fit(
    features: csr_matrix, labels: NDArray[np.float32], weights: NDArray[np.float32]
) -> tuple[NDArray[np.float32], float]:
    """One logistic regression: weights (BUCKETS,) and bias."""
    used = weights > 0
    model = LogisticRegression(C=COST, solver="liblinear", tol=TOLERANCE, max_iter=200, random_state=SEED)
    model.fit(features[used], labels[used], sample_weight=weights[used])
    return model.coef_[0].astype(np.float32), float(model.intercept_[0])


def quantize(weights: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """int8 square roots of the weights and a scale for each column (classifier.expand); the top 0.01% are clipped."""
    scales = np.quantile(np.abs(weights[np.any(weights != 0, axis=1)]), 0.9999, axis=0)
    roots = np.sign(weights) * np.sqrt(np.abs(weights) / scales)
    return np.clip(np.rint(roots * 127), -127, 127).astype(np.int8), scales.astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    lexicon = read_lexicon(options.out / "lexicons")
    lines = gather(options.data, lexicon)
    print("gathered", len(lines), flush=True)
    views = views_of((line.text for line in lines), lexicon)
    idf = inverse_frequencies(views)
    features = matrix(views, idf)
    print("lines", features.shape[0], "non-zeros", features.nnz, flush=True)
    columns, biases = [], []
    for column, category in enumerate(LEARNED):
        labels = np.array([line.targets[column] for line in lines])
        weights = np.array([line.weights[column] for line in lines])
        coefficients, bias = fit(features, labels, weights)
        columns.append(coefficients)
        biases.append(bias)
        print(category, "positive", int(labels.sum()), "used", int((weights > 0).sum()), flush=True)
    quantized, scales = quantize(np.stack(columns, axis=1))
    margins = _Margins(lexicon, idf, quantized, scales, np.asarray(biases, np.float32))
    held = [example for example in data.comments(options.data) if is_held_out(example) and example.source == "cold"]
    slope, shift = calibrate(margins, held)
    np.savez_compressed(
        options.out / "weights.npz",
        categories=json.dumps([str(category) for category in LEARNED]),
        weights=quantized,
        scales=scales,
        bias=np.asarray(biases, np.float32),
        idf=idf.astype(np.float16),
        slope=slope,
        shift=shift,
    )


class _Margins:
    """Margins (lines, k) of normalised texts under the weights as they will be shipped."""

    def __init__(
        self,
        lexicon: Lexicon,
        idf: NDArray[np.float32],
        weights: NDArray[np.int8],
        scales: NDArray[np.float32],
        bias: NDArray[np.float32],
    ) -> None:
        self._lexicon, self._idf, self._bias = lexicon, idf, bias
        self._weights = expand(weights) * scales

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        features = matrix(views_of(texts, self._lexicon), self._idf)
        return np.asarray(features @ self._weights + self._bias, np.float32)


if __name__ == "__main__":
    main()
