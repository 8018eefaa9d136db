"""Train the first zh+en text model: hashed n-grams and pinyin views, one logistic regression for each category.

    nice python -m training.text.train --data DATA

Writes model_repository/text_toxicity/1/weights.npz. Seeded; the same data give the same weights. Reads no dev
or evaluation file. scikit-learn is needed for training only.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from gatepost_server.domain.labels import Category
from gatepost_server.text.characters import count_han
from gatepost_server.text.classifier import expand
from gatepost_server.text.features import BUCKETS, Counts, hashed_views, weigh
from gatepost_server.text.lexicon import Lexicon, read_lexicon
from gatepost_server.text.normalize import compact, normalize
from training.text import compose, data, perturb
from training.text.calibrate import calibrate
from training.text.data import LEARNED, Example

OUT = Path(__file__).parents[2] / "model_repository/text_toxicity/1"
SEED = 7
COMPOSED = 2_500  # lines a category, and eight times as many kind ones
PERTURBED = 0.5  # part of the lines that also come as a perturbed copy

# What one line weighs, by source: comments are not cards, and nobody labelled the messages.
WEIGHTS = {"sms": 0.5, "kind": 1.5}
# For categories that the comments carry no label of, every fourth counts as harmless.
ASSUMED_EVERY = 4
TOLERANCE = 1e-2  # liblinear's; coarse, so that nine fits on 50 million non-zeros take minutes
COST = 4.0  # inverse of the regularisation, as scikit-learn's C


def gather(folder: Path, lexicon: Lexicon, rng: random.Random) -> list[Example]:
    """All training lines, normalised, with perturbed copies."""
    comments = data.comments(folder)
    messages = [
        Example(text, dict.fromkeys(LEARNED, 0.0), "sms")
        for text in data.read_zh_messages(folder)
        if not lexicon.find(normalize(text))
    ]
    composed = compose.kind_examples(rng, COMPOSED * 8, held=False) + compose.unkind_examples(rng, COMPOSED, held=False)
    table = perturb.homophones(example.text for example in comments)
    examples: list[Example] = []
    for example in [*comments, *messages, *composed]:
        examples.append(example)
        if rng.random() < PERTURBED:
            examples.append(replace(example, text=_perturbed(rng, example.text, table, lexicon)))
    return [replace(example, text=normalize(example.text)) for example in examples]


def hold_out(examples: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """The lines to train on, and one COLD line in twenty for calibration."""
    held = [example for example in examples if example.source == "cold" and compose.is_held_out(example.text)][::4]
    texts = {example.text for example in held}
    return [example for example in examples if example.text not in texts], held


def _perturbed(rng: random.Random, text: str, table: perturb.Homophones, lexicon: Lexicon) -> str:
    """A copy with its listed words (or some words, so that disguise alone means nothing) disguised.

    Only by what the normaliser cannot undo: the other disguises make the same line again.
    """
    if rng.random() < 0.1:
        return perturb.misread(rng, text)
    chinese = count_han(text) * 3 >= len(text)
    spans = _listed_spans(text, lexicon) if rng.random() < 0.8 else []
    if not spans:
        some = perturb.some_span(rng, text)
        spans = [some] if some is not None else []
    attacks = perturb.chinese_attacks(table) if chinese else perturb.english_attacks()
    name = rng.choice(
        ("homophone", "homophone", "pinyin", "initials", "masked") if chinese else ("leet", "masked", "split")
    )
    return perturb.apply(rng, text, spans, attacks[name])


def _listed_spans(text: str, lexicon: Lexicon) -> list[tuple[int, int]]:
    """Places of the listed words of two letters or more, the longest first where they overlap."""
    spans: list[tuple[int, int]] = []
    terms = [match.entry.term for match in lexicon.find(normalize(text)) if len(match.entry.term) > 1]
    for term in sorted(terms, key=len, reverse=True):
        start = text.lower().find(term)
        if start >= 0 and all(start + len(term) <= a or b <= start for a, b in spans):
            spans.append((start, start + len(term)))
    return sorted(spans)


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


def targets(
    examples: Sequence[Example], category: Category, lexicon: Lexicon
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Labels and weights of every line for one category; weight 0 where the label is unknown."""
    labels = np.zeros(len(examples), np.float32)
    weights = np.zeros(len(examples), np.float32)
    assumed = category not in (Category.INSULT, Category.HATE)
    for row, example in enumerate(examples):
        known = example.labels.get(category)
        if known is not None:
            labels[row], weights[row] = known, WEIGHTS.get(example.source, 1.0)
        elif assumed and row % ASSUMED_EVERY == 0 and not example.source.startswith("unkind"):
            weights[row] = not _suspicious(example.text, category, lexicon)
    return labels, weights


def _suspicious(text: str, category: Category, lexicon: Lexicon) -> bool:
    matches = lexicon.find(text)
    return any(match.entry.category is category for match in matches) or compact(text) == ""


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
    rng = random.Random(SEED)
    lexicon = read_lexicon(options.out / "lexicons")
    examples = gather(options.data, lexicon, rng)
    examples, held = hold_out(examples)
    print("gathered", len(examples), flush=True)
    views = views_of((example.text for example in examples), lexicon)
    idf = inverse_frequencies(views)
    features = matrix(views, idf)
    print("lines", features.shape[0], "non-zeros", features.nnz, flush=True)
    columns, biases = [], []
    for category in LEARNED:
        labels, weights = targets(examples, category, lexicon)
        coefficients, bias = fit(features, labels, weights)
        columns.append(coefficients)
        biases.append(bias)
        print(category, "positive", int(labels.sum()), "used", int((weights > 0).sum()), flush=True)
    quantized, scales = quantize(np.stack(columns, axis=1))
    margins = _Margins(lexicon, idf, quantized, scales, np.asarray(biases, np.float32))
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
