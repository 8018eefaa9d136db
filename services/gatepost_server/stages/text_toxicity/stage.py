"""TextToxicity: normalise, score and compare the lines that were read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.evidence import ModelVersion, Skipped
from gatepost_server.domain.labels import CATEGORIES
from gatepost_server.stages.base import Arrays, StageResult, text_array
from gatepost_server.stages.text_toxicity.across import Across
from gatepost_server.stages.text_toxicity.encoder import Encoder
from gatepost_server.stages.text_toxicity.judge import LEAST_CONFIDENCE, Joined, Judge, Lines
from gatepost_server.stages.text_toxicity.sequence_classifier import SequenceClassifier
from gatepost_server.tensors.contract import (
    EXPECTED,
    JOINED_SCORES,
    JOINED_TEXT,
    LANGUAGES,
    LINE_EXPECTED,
    LINE_MATCHES,
    LINE_SCORES,
    LINE_VIEWS,
    NORMALIZED_TEXTS,
    POLYGON_POINTS,
    POLYGON_SIZES,
    TEXT_CONFIDENCES,
    TEXT_TOXICITY,
    TEXTS,
    ModelContract,
)
from gatepost_server.text.classifier import read_model
from gatepost_server.text.combination import read_combination
from gatepost_server.text.grids import Grid, grids
from gatepost_server.text.language import guess_language
from gatepost_server.text.lexicon import read_lexicon
from gatepost_server.text.patterns import pattern
from gatepost_server.text.reading_order import Box, bounds, join, reading_orders
from gatepost_server.text.scorer import TextScorer
from gatepost_server.text.similarity import comparable, similarities
from gatepost_server.text.windows import MAX_WINDOWS

_MAX_LINE = 2_000  # characters of one line that are judged


class TextToxicity:
    """Parameters: `directory` (weights.npz, lexicons/, combination.json, the encoder's files); optional `engine`,
    `precision` and `threads` of the encoder (engines.graph_net), `classifier` (folder of a Hugging Face sequence
    classifier), `classifier_labels` ("LABEL_1=insult,...") and its `device` ("auto", or one of torch's).
    """

    contract: ClassVar[ModelContract] = TEXT_TOXICITY

    def __init__(self, parameters: Mapping[str, str]) -> None:
        directory = Path(parameters["directory"])
        model = read_model(directory / "weights.npz")
        second: SequenceClassifier | None = None
        if parameters.get("classifier"):
            device = parameters.get("device") or "auto"
            second = SequenceClassifier(parameters["classifier"], parameters.get("classifier_labels", ""), device)
        lexicon = read_lexicon(directory / "lexicons")
        combination = read_combination(directory / "combination.json")
        encoder = Encoder(
            directory,
            engine=parameters.get("engine") or "auto",
            precision=parameters.get("precision") or "auto",
            threads=int(parameters.get("threads") or 1),
        )
        if not encoder.categories == combination.categories == model.categories:
            raise ValueError(f"encoder, weights and combination in {directory} judge different categories")
        self._judge = Judge(TextScorer(lexicon, model, combination), encoder, second)
        self._models = (
            ModelVersion("gatepost-text", model.version),
            ModelVersion("gatepost-text-encoder", encoder.version),
            ModelVersion("gatepost-text-combination", combination.version),
            ModelVersion("gatepost-lexicons", lexicon.version),
            *((second.version,) if second is not None else ()),
        )

    @property
    def models(self) -> tuple[ModelVersion, ...]:
        """What judges form, what judges meaning, how they go together, and the second classifier where there is one."""
        return self._models

    def run(self, items: Sequence[Arrays]) -> Sequence[StageResult | GatepostError]:
        """One answer for each item; an item whose tensors disagree gets MODEL_OUTPUT_INVALID."""
        return [self._run_one(item) for item in items]

    def _run_one(self, item: Arrays) -> StageResult | GatepostError:
        texts, sizes, views = item[TEXTS.name], item[POLYGON_SIZES.name], item[LINE_VIEWS.name]
        confidences, points = item[TEXT_CONFIDENCES.name], item[POLYGON_POINTS.name]
        if not len(texts) == len(sizes) == len(views) == len(confidences) or int(np.sum(sizes)) != len(points):
            return GatepostError(
                ErrorCode.INTERNAL, ErrorReason.MODEL_OUTPUT_INVALID, "the lines' tensors have different lengths"
            )
        read = [_decode(text) for text in texts]
        expected = [text for text in (_decode(value)[:_MAX_LINE] for value in item[EXPECTED.name]) if comparable(text)]
        boxes = _boxes(points, sizes)
        trusts = [float(confidence) for confidence in confidences]
        lines = self._judge.lines([text[:_MAX_LINE] for text in read], trusts)
        readable = _readable_by_view(lines.normalized, trusts, [int(view) for view in views])
        orders = [_orders(boxes, lines.normalized, members) for members in readable]
        crossed = [grid for members in readable for grid in _grids(boxes, read, members)]
        between = _between_views(boxes, lines.normalized, orders)
        joined = [self._judge.joined(lines, trusts, some) for some in [*orders, between]]
        across = [self._judge.across(lines, trusts, grid) for grid in crossed]
        down = [self._judge.edges(lines, trusts, some[0]) for some in orders]
        return StageResult(
            arrays={
                NORMALIZED_TEXTS.name: text_array(lines.normalized),
                LANGUAGES.name: text_array([guess_language(text) for text in lines.normalized]),
                LINE_SCORES.name: lines.scores,
                LINE_EXPECTED.name: _expected(lines.normalized, expected, orders, crossed),
                LINE_MATCHES.name: text_array([_matches(lines, index) for index in range(len(read))]),
                JOINED_TEXT.name: text_array(["\n".join(_joined_texts(read, orders, across))]),
                JOINED_SCORES.name: np.maximum.reduce([_worst([*joined, *across]), *down]),
            },
            looked_at={
                "lines": len(read),
                "windows": sum(one.windows for one in joined) + sum(one.windows for one in across),
            },
            skipped=tuple(_skipped(read, [*joined, *across])),
        )


def _decode(value: bytes) -> str:
    return value.decode("utf-8", errors="replace")


def _boxes(points: NDArray[np.float32], sizes: NDArray[np.int32]) -> list[Box]:
    edges = [0, *np.cumsum(sizes).tolist()]
    return [bounds([(float(x), float(y)) for x, y in points[a:b]]) for a, b in pairwise(edges)]


def _readable_by_view(texts: Sequence[str], confidences: Sequence[float], views: Sequence[int]) -> list[list[int]]:
    """Indices of each view's lines but the stray ones and those of a pattern."""
    readable = [index for index, confidence in enumerate(confidences) if confidence >= LEAST_CONFIDENCE]
    by_view = ([index for index in readable if views[index] == view] for view in sorted(set(views)))
    return [_without_pattern(texts, members) for members in by_view]


def _without_pattern(texts: Sequence[str], members: Sequence[int]) -> list[int]:
    drawn = pattern([texts[index] for index in members])
    return [index for place, index in enumerate(members) if place not in drawn]


def _orders(boxes: Sequence[Box], texts: Sequence[str], members: Sequence[int]) -> list[tuple[int, ...]]:
    local = reading_orders([boxes[i] for i in members], [texts[i] for i in members])
    return [tuple(members[i] for i in order) for order in local]


def _between_views(
    boxes: Sequence[Box], texts: Sequence[str], orders: Sequence[list[tuple[int, ...]]]
) -> list[tuple[int, ...]]:
    """Orders over the lines of all views: one view after another, then as they stand; none where one view holds all.

    Half an insult may be seen on white and half on black, or a word in each frame. A text that several views
    show is read once, so that what changes beside it comes together; one that is being typed, when it is complete.
    """
    first = {texts[index]: index for some in reversed(orders) for index in reversed(some[0]) if texts[index]}
    shown = [index for some in orders for index in some[0] if first.get(texts[index]) == index]
    complete = (index for index, after in pairwise(shown) if not texts[after].startswith(texts[index]))
    in_turn = (*complete, *shown[-1:])
    if any(set(in_turn) <= set(some[0]) for some in orders):
        return []
    return list(dict.fromkeys([in_turn, *_orders(boxes, texts, in_turn)]))


def _grids(boxes: Sequence[Box], read: Sequence[str], members: Sequence[int]) -> list[Grid]:
    local = grids([boxes[i] for i in members], [read[i] for i in members])
    return [grid.of(members) for grid in local]


def _expected(
    texts: Sequence[str], expected: Sequence[str], orders: list[list[tuple[int, ...]]], crossed: Sequence[Grid]
) -> NDArray[np.float32]:
    if not expected:
        return np.full(len(texts), -1.0, np.float32)
    found = similarities(texts, expected, [order for some in orders for order in some])
    for grid in crossed:
        values = similarities(grid.readings, expected, grid.orders)
        for line in grid.members:
            # A line has a character of many readings; one that nobody asked for keeps it unexpected.
            least = min(value for value, through in zip(values, grid.through, strict=True) if line in through)
            found[line] = max(found[line], least)
    return np.asarray(found, np.float32)


def _matches(lines: Lines, index: int) -> str:
    return "\n".join(f"{match.entry.category}:{match.entry.term}" for match in lines.matches[index])


def _joined_texts(read: Sequence[str], orders: list[list[tuple[int, ...]]], across: Sequence[Across]) -> list[str]:
    """Each view's text in its likeliest order, then what grids may say across; the same is told once."""
    texts = [*(join(read, some[0]) for some in orders), *(one.text for one in across)]
    return [text for text in dict.fromkeys(texts) if text]


def _worst(joined: Sequence[Joined | Across]) -> NDArray[np.float32]:
    worst = np.zeros(len(CATEGORIES), np.float32)
    for one in joined:
        worst = np.maximum(worst, one.scores)
    return worst


def _skipped(read: Sequence[str], joined: Sequence[Joined | Across]) -> list[Skipped]:
    skipped = []
    if any(one.truncated for one in joined):
        skipped.append(Skipped("lines read together", f"more than {MAX_WINDOWS} combinations"))
    if any(len(text) > _MAX_LINE for text in read):
        skipped.append(Skipped("rest of a line", f"longer than {_MAX_LINE} characters"))
    return skipped
