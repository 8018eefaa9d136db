"""fusion: what the text, the picture, and the two together say of each category.

The score of a category is a noisy-OR (Pearl, Probabilistic Reasoning in Intelligent Systems, 1988)
of its strongest single signal and of the pairings in which words and picture make each other worse.
A pairing counts with the product of both probabilities, so that noise on either side alone lifts
nothing. All inputs are calibrated probabilities; so is the result, as far as the pairings are rare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gatepost_server.domain.errors import GatepostError
from gatepost_server.domain.evidence import ModelVersion
from gatepost_server.domain.labels import CATEGORIES, Category
from gatepost_server.stages.base import Arrays, StageResult, text_array
from gatepost_server.tensors import contract
from gatepost_server.text.characters import count_han, count_letters
from gatepost_server.text.similarity import AS_EXPECTED

_INDEX: Mapping[Category, int] = {category: index for index, category in enumerate(CATEGORIES)}
_OFF_SCRIPT = _INDEX[Category.OFF_SCRIPT]


@dataclass(frozen=True, slots=True)
class Pairing:
    """Words of one kind over a picture of another kind raise `result` by up to `weight`."""

    text: Category
    image: Category
    result: Category
    weight: float


# Same-category pairs confirm each other; the others are the meanings that neither side has alone.
PAIRINGS: tuple[Pairing, ...] = (
    *(Pairing(c, c, c, 0.6) for c in CATEGORIES if c is not Category.OFF_SCRIPT),
    Pairing(Category.INSULT, Category.WEAPONS, Category.THREAT, 0.8),
    Pairing(Category.INSULT, Category.VIOLENCE, Category.THREAT, 0.8),
    Pairing(Category.THREAT, Category.WEAPONS, Category.THREAT, 0.9),
    Pairing(Category.HATE, Category.WEAPONS, Category.THREAT, 0.8),
    Pairing(Category.SELF_HARM, Category.WEAPONS, Category.SELF_HARM, 0.9),
    Pairing(Category.SELF_HARM, Category.DRUGS, Category.SELF_HARM, 0.9),
    Pairing(Category.THREAT, Category.ILL_OMEN, Category.ILL_OMEN, 0.9),
)

# A lift smaller than this is not worth naming as the score's source.
_NAMED_LIFT = 0.03

# A line counts as unexpected from AS_EXPECTED downwards, fully at this similarity.
_UNEXPECTED_AT = 0.35
# Lines read with less confidence say little about what was drawn.
_CONFIDENCE_FROM, _CONFIDENCE_FULL = 0.5, 0.8
# One Chinese character (福) or two letters are decoration, or an ornament read as text, more often than a message.
_LEAST_HAN, _LEAST_LETTERS = 2, 3


class Fusion:
    """One score with its source for each category."""

    contract: ClassVar[contract.ModelContract] = contract.FUSION

    def __init__(self, parameters: Mapping[str, str]) -> None:
        del parameters  # the weights are code: they change with a release, not with a deployment

    @property
    def models(self) -> tuple[ModelVersion, ...]:
        return (ModelVersion("gatepost-fusion", "1"),)

    def run(self, items: Sequence[Arrays]) -> Sequence[StageResult | GatepostError]:
        return [_fuse(item) for item in items]


def _fuse(item: Arrays) -> StageResult:
    lines = item["LINE_SCORES"].reshape(-1, len(CATEGORIES)).astype(np.float64)
    lines[:, _OFF_SCRIPT] = off_script(item["NORMALIZED_TEXTS"], item["TEXT_CONFIDENCES"], item["LINE_EXPECTED"])
    joined = item["JOINED_SCORES"].astype(np.float64)
    image = item["IMAGE_SCORES"].astype(np.float64)

    worst_line = lines.max(axis=0, initial=0.0)
    text = np.maximum(worst_line, joined)
    single = np.maximum(text, image)
    scores = _with_pairings(single, text, image)

    sources: list[str] = []
    for index in range(len(CATEGORIES)):
        if scores[index] - single[index] >= _NAMED_LIFT:
            sources.append("text+image")
        elif single[index] == 0.0:
            sources.append("none")
        elif image[index] >= text[index]:
            sources.append("image")
        elif joined[index] > worst_line[index]:
            sources.append("joined")
        else:
            sources.append(f"line:{int(lines[:, index].argmax())}")
    return StageResult(
        {"SCORES": scores.astype(np.float32), "SCORE_SOURCES": text_array(sources)},
        looked_at={"lines": len(lines)},
    )


def _with_pairings(single: NDArray[np.float64], text: NDArray[np.float64], image: NDArray[np.float64]) -> NDArray[Any]:
    absent = 1.0 - single
    for pairing in PAIRINGS:
        absent[_INDEX[pairing.result]] *= (
            1.0 - pairing.weight * text[_INDEX[pairing.text]] * image[_INDEX[pairing.image]]
        )
    return np.clip(1.0 - absent, 0.0, 1.0)


def off_script(texts: NDArray[Any], confidences: NDArray[Any], expected: NDArray[Any]) -> NDArray[np.float64]:
    """How surely each line is something that nobody asked for: shape (L,), 0 to 1.

    `expected` is each line's similarity to what was asked for, -1 where nothing was.
    """
    similarity = expected.astype(np.float64)
    unlike = np.clip((AS_EXPECTED - similarity) / (AS_EXPECTED - _UNEXPECTED_AT), 0.0, 1.0)
    sure = np.clip(
        (confidences.astype(np.float64) - _CONFIDENCE_FROM) / (_CONFIDENCE_FULL - _CONFIDENCE_FROM), 0.0, 1.0
    )
    words = np.array([_says_something(text.decode()) for text in texts], dtype=np.float64)
    asked: NDArray[np.float64] = (similarity >= 0.0).astype(np.float64)
    return unlike * sure * words * asked


def _says_something(text: str) -> bool:
    return count_han(text) >= _LEAST_HAN or count_letters(text) >= _LEAST_LETTERS
