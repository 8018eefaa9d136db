"""What the ensemble answers, as arrays, to domain evidence."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.evidence import Evidence, Fused, ImageFacts, ImageFinding, StageReport, TextLine
from gatepost_server.domain.labels import CATEGORIES, Category
from gatepost_server.tensors import contract
from gatepost_server.tensors.check import first_breach
from gatepost_server.tensors.facts import decode_facts
from gatepost_server.tensors.reports import decode_report

_SOURCE = re.compile(r"none|image|joined|text\+image|line:(\d+)")
_MIN_POLYGON = 4
_ROUNDING = 1e-3  # a probability may stand outside of 0 to 1 by this much and is clipped

Arrays = Mapping[str, NDArray[Any]]


def decode_evidence(arrays: Arrays) -> Evidence:
    """Evidence from one request's ensemble outputs, without the batch dimension.

    EMBEDDING may be missing (it was not asked for). Lines that could not be read (empty text) are left out,
    and "line:<i>" sources are counted anew. Raises GatepostError (INTERNAL, MODEL_OUTPUT_INVALID).
    """
    tensors = [t for t in contract.ENSEMBLE_OUTPUTS if t is not contract.EMBEDDING or t.name in arrays]
    breach = first_breach(tensors, arrays)
    if breach is not None:
        raise _invalid(breach)
    try:
        return _evidence(arrays)
    except UnicodeDecodeError as error:
        raise _invalid("a text is not UTF-8") from error
    except (ValueError, KeyError, TypeError) as error:
        raise _invalid(str(error)) from error


def _evidence(arrays: Arrays) -> Evidence:
    facts = decode_facts(_one(arrays, contract.IMAGE_FACTS))
    if facts.width < 1 or facts.height < 1 or not facts.views:
        raise ValueError("IMAGE_FACTS tells no size or no views")
    lines, places = _lines(arrays, facts)
    similarity = float(arrays[contract.PROMPT_SIMILARITY.name][0])
    if abs(similarity) > 1.0 + _ROUNDING:  # False for NaN, which stands for "no prompt"
        raise ValueError("PROMPT_SIMILARITY is no cosine")
    embedding = arrays.get(contract.EMBEDDING.name)
    return Evidence(
        image=facts,
        lines=lines,
        joined_text=_one(arrays, contract.JOINED_TEXT).decode(),
        joined_scores=_scores(arrays[contract.JOINED_SCORES.name], contract.JOINED_SCORES.name),
        image_findings=_findings(arrays, facts),
        prompt_similarity=None if math.isnan(similarity) else max(-1.0, min(1.0, similarity)),
        embedding=() if embedding is None else tuple(embedding.tolist()),
        fused=_fused(arrays, places),
        reports=tuple(_report(arrays, stage) for stage in contract.STAGES),
    )


def _lines(arrays: Arrays, facts: ImageFacts) -> tuple[tuple[TextLine, ...], Mapping[int, int | None]]:
    """The lines that were read, and for every line its place among them (None: left out)."""
    texts = _texts(arrays, contract.TEXTS)
    normalized = _texts(arrays, contract.NORMALIZED_TEXTS)
    languages = _texts(arrays, contract.LANGUAGES)
    matches = _texts(arrays, contract.LINE_MATCHES)
    views = arrays[contract.LINE_VIEWS.name].tolist()
    confidences = _probabilities(arrays[contract.TEXT_CONFIDENCES.name], contract.TEXT_CONFIDENCES.name).tolist()
    expected = arrays[contract.LINE_EXPECTED.name].tolist()
    scores = arrays[contract.LINE_SCORES.name]
    polygons = _polygons(arrays, facts)
    for tensor, values in (
        (contract.NORMALIZED_TEXTS, normalized),
        (contract.LANGUAGES, languages),
        (contract.LINE_MATCHES, matches),
        (contract.LINE_VIEWS, views),
        (contract.TEXT_CONFIDENCES, confidences),
        (contract.LINE_EXPECTED, expected),
        (contract.LINE_SCORES, scores),
        (contract.POLYGON_SIZES, polygons),
    ):
        if len(values) != len(texts):
            raise ValueError(f"{tensor.name} holds {len(values)} lines, {contract.TEXTS.name} {len(texts)}")
    if any(not 0 <= view < len(facts.views) for view in views):
        raise ValueError("LINE_VIEWS names a view that is not there")

    lines: list[TextLine] = []
    places: dict[int, int | None] = {}
    for index, text in enumerate(texts):
        if not text:
            places[index] = None
            continue
        places[index] = len(lines)
        lines.append(
            TextLine(
                polygon=polygons[index],
                view=views[index],
                text=text,
                normalized=normalized[index],
                language=languages[index] or "und",
                confidence=confidences[index],
                scores=_scores(scores[index], contract.LINE_SCORES.name),
                expected=None if expected[index] < 0.0 else min(1.0, expected[index]),
                matches=tuple(match for match in matches[index].split("\n") if match),
            )
        )
    return tuple(lines), places


def _polygons(arrays: Arrays, facts: ImageFacts) -> Sequence[tuple[tuple[float, float], ...]]:
    """Every line's outline in pixels of the upright original, kept inside of it."""
    points = np.clip(arrays[contract.POLYGON_POINTS.name].astype(np.float64), 0.0, 1.0)
    pixels = (points * (facts.width, facts.height)).round(2).tolist()
    sizes = arrays[contract.POLYGON_SIZES.name].tolist()
    if sum(sizes) != len(pixels) or any(size < _MIN_POLYGON for size in sizes):
        raise ValueError("POLYGON_SIZES does not fit POLYGON_POINTS")
    ends = list(itertools.accumulate(sizes))
    return [tuple((x, y) for x, y in pixels[end - size : end]) for size, end in zip(sizes, ends, strict=True)]


def _findings(arrays: Arrays, facts: ImageFacts) -> Mapping[Category, ImageFinding]:
    scores = _scores(arrays[contract.IMAGE_SCORES.name], contract.IMAGE_SCORES.name)
    regions = np.clip(arrays[contract.IMAGE_REGIONS.name].astype(np.float64), 0.0, 1.0)
    corners = (regions * (facts.width, facts.height, facts.width, facts.height)).round(2).tolist()
    return {
        category: ImageFinding(scores[category], (x0, y0, x1, y1))
        for category, (x0, y0, x1, y1) in zip(CATEGORIES, corners, strict=True)
        if scores[category] > 0.0
    }


def _fused(arrays: Arrays, places: Mapping[int, int | None]) -> Mapping[Category, Fused]:
    scores = _scores(arrays[contract.SCORES.name], contract.SCORES.name)
    sources = _texts(arrays, contract.SCORE_SOURCES)
    return {
        category: Fused(scores[category], _source(source, places))
        for category, source in zip(CATEGORIES, sources, strict=True)
    }


def _source(source: str, places: Mapping[int, int | None]) -> str:
    match = _SOURCE.fullmatch(source)
    if match is None:
        raise ValueError("SCORE_SOURCES holds an unknown source")
    if match[1] is None:
        return source
    if int(match[1]) not in places:
        raise ValueError("SCORE_SOURCES names a line that is not there")
    place = places[int(match[1])]
    return "none" if place is None else f"line:{place}"


def _report(arrays: Arrays, stage: contract.ModelContract) -> StageReport:
    report = decode_report(_one(arrays, stage.report))
    if report.stage is not stage.model:
        raise ValueError(f"{stage.report.name} is another stage's")
    return report


def _scores(values: NDArray[Any], name: str) -> Mapping[Category, float]:
    return dict(zip(CATEGORIES, _probabilities(values, name).tolist(), strict=True))


def _probabilities(values: NDArray[Any], name: str) -> NDArray[np.float64]:
    wide = values.astype(np.float64)
    if wide.size and (wide.min() < -_ROUNDING or wide.max() > 1.0 + _ROUNDING):
        raise ValueError(f"{name} holds something other than probabilities")
    return np.clip(wide, 0.0, 1.0)


def _texts(arrays: Arrays, tensor: contract.Tensor) -> list[str]:
    return [value.decode() for value in arrays[tensor.name].tolist()]


def _one(arrays: Arrays, tensor: contract.Tensor) -> bytes:
    value: bytes = arrays[tensor.name][0]
    return value


def _invalid(what: str) -> GatepostError:
    return GatepostError(
        ErrorCode.INTERNAL, ErrorReason.MODEL_OUTPUT_INVALID, f"the models' answer is unusable: {what}"
    )
