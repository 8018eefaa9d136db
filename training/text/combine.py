"""Fit how meaning and form go together, on lines that neither model was trained on, and calibrate the result.

    python -m training.text.combine --data DATA

Writes model_repository/text_toxicity/1/combination.json. For each category a logistic regression over
text.combination.features, with weights that cannot turn evidence round (L-BFGS-B with bounds), and one for harm in
any category; then biases are lowered until a kind line is rarely held.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from gatepost_server.stages.text_toxicity.encoder import Encoder
from gatepost_server.text.classifier import read_model
from gatepost_server.text.combination import FEATURES, MONOTONE, features, in_all
from gatepost_server.text.lexicon import Lexicon, read_lexicon
from gatepost_server.text.normalize import normalize
from gatepost_server.text.reading_order import join
from training.text import compose, data, perturb
from training.text.data import LEARNED, Example
from training.text.export import OUT
from training.text.mix import among, disguised, is_held_out

COMPOSED = 1_500  # held-out fillings a language; a fifth of it for each unkind category
# What a line counts, by where it is from: cards are what is judged, comments what is known best.
WEIGHTS = {"card": 1.0, "composed": 0.3, "public": 0.3}
RIDGE = 1e-3
LEAST_POSITIVE = 0.05  # part of all weight that lines of the category have together
KIND_HELD = 0.01  # of held-out kind cards at one half or above, for each category ...
MOST_LOST = 0.425  # ... unless that would lose more than this part of the category's own held-out lines
BINS = 10

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Held:
    """A held-out line, where it is from, and whether it is kind."""

    example: Example
    origin: str
    kind: bool


def held_out(folder: Path, lexicon: Lexicon, rng: random.Random) -> list[Held]:
    """Everything that neither model has seen: written cards, composed lines, public lines, and disguised copies."""
    public = [example for example in data.comments(folder) if is_held_out(example)]
    messages = [Example(text, dict.fromkeys(LEARNED, 0.0), "sms") for text in data.read_zh_messages(folder)]
    table = perturb.homophones(example.text for example in public)
    composed = [
        *(Held(one, "composed", kind=True) for one in compose.kind_examples(rng, COMPOSED, held=True)),
        *(Held(one, "composed", kind=False) for one in compose.unkind_examples(rng, COMPOSED // 5, held=True)),
    ]
    lines = [
        *_cards(rng),
        *composed,
        *(Held(example, "public", kind=False) for example in public),
        *(
            Held(example, "public", kind=True)
            for example in messages
            if is_held_out(example) and not lexicon.find(normalize(example.text))
        ),
    ]
    copies = [
        Held(
            Example(disguised(rng, one.example.text, lexicon, table), one.example.labels, "disguised"),
            one.origin,
            False,
        )
        for one in lines
        if rng.random() < (0.5 if one.origin == "card" else 0.15)
    ]
    return [*lines, *copies]


def _cards(rng: random.Random) -> Iterator[Held]:
    """Held-out written cards: as they are, line by line where they are kind, and among kind lines."""
    cards = [card for card in data.written() if card.is_held_out]
    kind = [card for card in cards if card.category is None]
    for card in cards:
        whole = join(card.lines, range(len(card.lines)))
        texts = [whole, *(among(rng, card, kind) for _ in range(2))]
        if card.category is None and len(card.lines) > 1:
            texts += card.lines
        for text in texts:
            yield Held(Example(text, card.labels, "card"), "card", kind=card.category is None)


def fit(known: Floats, labels: Floats, weights: Floats, rising: Sequence[bool]) -> tuple[Floats, float]:
    """Weights (f,) and bias of a ridge logistic regression over known (n, f); `rising` columns weigh zero or more."""
    balance = LEAST_POSITIVE / (1 - LEAST_POSITIVE) * weights[labels == 0].sum()
    weights = np.where(labels > 0, weights * max(1.0, balance / weights[labels > 0].sum()), weights)
    bounds = [*((0.0, None) if up else (None, None) for up in rising), (None, None)]

    def loss(parameters: Floats) -> tuple[float, Floats]:
        odds = known @ parameters[:-1] + parameters[-1]
        errors = weights * (1 / (1 + np.exp(-odds)) - labels)
        value = (weights * (np.logaddexp(0, odds) - labels * odds)).sum() / weights.sum()
        ridge = RIDGE * parameters[:-1]
        slope = np.append(known.T @ errors, errors.sum()) / weights.sum() + np.append(ridge, 0.0)
        return float(value + 0.5 * (ridge * parameters[:-1]).sum()), slope

    start = np.append(np.full(known.shape[1], 0.1), 0.0)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return found.x[:-1], float(found.x[-1])


def guarded(odds: Floats, kind: NDArray[np.bool_], own: NDArray[np.bool_]) -> float:
    """What to add to the odds, zero or less, so that kind lines rarely reach one half."""
    floor = float(np.quantile(odds[kind], 1 - KIND_HELD))
    if own.any():
        floor = min(floor, float(np.quantile(odds[own], MOST_LOST)))
    return min(0.0, -floor)


def calibration_error(probabilities: Floats, labels: Floats, weights: Floats) -> float:
    """Expected calibration error over BINS equal bins (Naeini et al. 2015)."""
    bins = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    gaps = [abs((weights * (probabilities - labels))[bins == b].sum()) for b in range(BINS)]
    return float(sum(gaps) / weights.sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=OUT)
    options = parser.parse_args()
    lexicon, linear, encoder = (
        read_lexicon(options.model / "lexicons"),
        read_model(options.model / "weights.npz"),
        Encoder(options.model),
    )
    held = held_out(options.data, lexicon, random.Random(11))
    texts = [normalize(one.example.text) for one in held]
    logits = encoder(texts)
    matches = [lexicon.find(text) for text in texts]
    known = np.stack(
        [
            features(text, found, row, linear.margins(text, found), LEARNED)
            for text, found, row in zip(texts, matches, logits, strict=True)
        ]
    ).astype(np.float64)
    print("held-out lines", len(held), flush=True)
    document = {"features": list(FEATURES), "categories": _categories(held, known), "any": _any(held, known)}
    path = options.model / "combination.json"
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _categories(held: Sequence[Held], known: Floats) -> dict[str, dict[str, object]]:
    kind = np.array([one.kind and one.origin == "card" for one in held])
    rows: dict[str, dict[str, object]] = {}
    for column, category in enumerate(LEARNED):
        used = np.array([category in one.example.labels for one in held])
        labels = np.array([one.example.labels.get(category, 0.0) for one in held])
        weights = np.array([WEIGHTS[one.origin] for one in held])
        mine = known[:, column]
        fitted, bias = fit(mine[used], labels[used], weights[used], [name in MONOTONE for name in FEATURES])
        odds = mine @ fitted + bias
        cards = np.array([one.origin == "card" for one in held])
        own = (labels > 0) & cards if ((labels > 0) & cards).sum() >= 20 else labels > 0
        bias += guarded(odds, kind, own)
        final = 1 / (1 + np.exp(-(mine @ fitted + bias)))
        error = calibration_error(final[used], labels[used], weights[used])
        print(
            f"{category:10} ece {error:.3f} kind held {(final[kind] >= 0.5).mean():.2%} "
            f"recall {(final[own] >= 0.5).mean():.1%} of {own.sum()} bias {bias:.2f} "
            + " ".join(f"{value:.2f}" for value in fitted),
            flush=True,
        )
        rows[str(category)] = {
            "weights": [round(float(value), 4) for value in fitted],
            "bias": round(bias, 4),
            "calibration_error": round(error, 4),
        }
    return rows


def _any(held: Sequence[Held], known: Floats) -> dict[str, object]:
    """Harm in any category. Public lines are left out: what they lack a label of may be there all the same."""
    used = np.array([one.origin != "public" or one.kind for one in held])
    labels = np.array([float(any(one.example.labels.values())) for one in held])
    weights = np.array([WEIGHTS[one.origin] for one in held])
    together = np.stack([in_all(row) for row in known])
    count = len(LEARNED)
    rising = [True] * (2 * count) + [name in MONOTONE for name in FEATURES[3:]]
    fitted, bias = fit(together[used], labels[used], weights[used], rising)
    odds = together @ fitted + bias
    kind = np.array([one.kind and one.origin == "card" for one in held])
    own = used & (labels > 0) & np.array([one.origin == "card" for one in held])
    bias += guarded(odds, kind, own)
    final = 1 / (1 + np.exp(-(together @ fitted + bias)))
    print(f"any        kind held {(final[kind] >= 0.5).mean():.2%} recall {(final[own] >= 0.5).mean():.1%}", flush=True)
    return {"weights": [round(float(value), 4) for value in fitted], "bias": round(bias, 4)}


if __name__ == "__main__":
    main()
