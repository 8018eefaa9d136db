"""The detector as a stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import cv2
import numpy as np

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.evidence import ModelVersion, Skipped
from gatepost_server.engines.choose import open_net
from gatepost_server.engines.net import NetFile
from gatepost_server.engines.weights import find_weights
from gatepost_server.stages.base import Arrays, StageResult
from gatepost_server.stages.ocr_detect.crops import Pixels
from gatepost_server.stages.ocr_detect.lines import Line, column_of, line_of, shown_before, strip_of
from gatepost_server.stages.ocr_detect.loose import letter_columns
from gatepost_server.stages.ocr_detect.passes import Detector
from gatepost_server.stages.ocr_detect.regions import Thresholds
from gatepost_server.stages.ocr_detect.rounds import Search, together
from gatepost_server.stages.ocr_detect.upright import covered, is_new, stacked
from gatepost_server.tensors import contract

# ImageNet's, in units of 0 to 255. PaddleOCR applies the values for red to blue and the other way round: so do we.
MEAN = (0.485 * 255, 0.456 * 255, 0.406 * 255)
STD = (0.229 * 255, 0.224 * 255, 0.225 * 255)

MISSED = 0.5  # of a column of letters' height: where less was found, a closer look is worth it


class OcrDetect:
    """Finds the lines of every view of every request.

    Parameters, all optional: `det_model` (engines.weights.find_weights), `engine`, `device`, `precision`,
    `threads`, `cuda_graphs`, `compiled`, `batch` (engines.choose.open_net), `side` (the detector sees at most side x
    side pixels at once; 1024), `first_side` (the same for a first look that may do; 640, 0 for none),
    `contrast_side` (the same for the pass for faint text; 512, 0 for none), `max_lines` (300 an image).
    """

    contract: ClassVar[contract.ModelContract] = contract.OCR_DETECT

    def __init__(self, parameters: Mapping[str, str]) -> None:
        weights = find_weights(parameters.get("det_model") or "PP-OCRv6_small_det")
        self._net = open_net(
            NetFile(weights.path, MEAN, STD),
            engine=parameters.get("engine", "auto"),
            device=parameters.get("device", "auto"),
            threads=int(parameters.get("threads", "1")),
            precision=parameters.get("precision", "auto"),
            cuda_graphs=parameters.get("cuda_graphs", "off"),
            compiled=parameters.get("compiled", "off"),
            batch=int(parameters.get("batch", "0")),
        )
        self._detector = Detector(
            side=int(parameters.get("side", "1024")),
            contrast_side=int(parameters.get("contrast_side", "512")),
            first_side=int(parameters.get("first_side", "640")),
            thresholds=Thresholds(),
        )
        self._max_lines = int(parameters.get("max_lines", "300"))
        self._models = (ModelVersion(weights.name, weights.version),)

    @property
    def models(self) -> tuple[ModelVersion, ...]:
        return self._models

    def run(self, items: Sequence[Arrays]) -> Sequence[StageResult | GatepostError]:
        """Lines, polygons and crops of each request; text that several views share comes once."""
        return together(self._net, [self._one(item["OCR_PIXELS"]) for item in items])

    def _one(self, views: Pixels) -> Search[StageResult | GatepostError]:
        if views.ndim != 4 or 0 in views.shape or views.shape[-1] != 3:
            return GatepostError(
                ErrorCode.INTERNAL, ErrorReason.MODEL_OUTPUT_INVALID, "decoded pixels have no V x height x width x 3"
            )
        try:
            lines = yield from self._distinct_lines(views)
        except GatepostError as error:
            return error
        kept = _largest(lines, self._max_lines)
        skipped: tuple[Skipped, ...] = ()
        if len(kept) < len(lines):
            skipped = (Skipped(f"{len(lines) - len(kept)} lines", f"more than {self._max_lines} lines"),)
        height, width = views.shape[1:3]
        return StageResult(
            _arrays(kept, width, height), looked_at={"views": len(views), "lines": len(kept)}, skipped=skipped
        )

    def _distinct_lines(self, views: Pixels) -> Search[list[Line]]:
        lines: list[Line] = []
        for index, view in enumerate(views):
            if any(np.array_equal(view, earlier) for earlier in views[:index]):
                continue
            seen = len(lines)
            for line in (yield from self._lines(view, index)):
                if not shown_before(line, lines[:seen], views):
                    lines.append(line)
        return lines

    def _lines(self, view: Pixels, index: int) -> Search[list[Line]]:
        bgr = np.asarray(cv2.cvtColor(view, cv2.COLOR_RGB2BGR), dtype=np.uint8)
        found = yield from self._detector.find(bgr)
        shapes = letter_columns(bgr)
        bare = [shape for shape in shapes if covered(shape, found) < MISSED]
        if bare:
            larger = yield from self._detector.enlarged(bgr)
            found += [one for one in larger if any(is_new(one, shape, found) for shape in bare)]
        columns, rest = stacked(found, shapes)
        lines = []
        for column in columns:
            line = column_of(column, bgr, index)
            if line is None:
                rest += column.pieces
            else:
                lines.append(line)
        lines += [line_of(found, bgr, index) for found in rest]
        return sorted(lines, key=lambda line: (float(line.polygon[:, 1].min()), float(line.polygon[:, 0].min())))


def _largest(lines: Sequence[Line], most: int) -> list[Line]:
    """At most `most` lines, those with the largest outlines, in their old order."""
    if len(lines) <= most:
        return list(lines)
    sizes = [float(np.prod(line.polygon.max(axis=0) - line.polygon.min(axis=0))) for line in lines]
    kept = sorted(sorted(range(len(lines)), key=lambda index: -sizes[index])[:most])
    return [lines[index] for index in kept]


def _arrays(lines: Sequence[Line], width: int, height: int) -> Arrays:
    crops = [crop for line in lines for crop in line.crops]
    polygons = [line.polygon / np.array([width, height], dtype=np.float32) for line in lines]
    points = np.concatenate(polygons) if polygons else np.zeros((0, 2), dtype=np.float32)
    return {
        "CROPS": strip_of(crops, contract.CROP_HEIGHT),
        "CROP_WIDTHS": np.array([crop.shape[1] for crop in crops], dtype=np.int32),
        "CROP_LINES": np.array([index for index, line in enumerate(lines) for _ in line.crops], dtype=np.int32),
        "POLYGON_POINTS": np.clip(points, 0.0, 1.0).astype(np.float32),
        "POLYGON_SIZES": np.array([len(polygon) for polygon in polygons], dtype=np.int32),
        "LINE_VIEWS": np.array([line.view for line in lines], dtype=np.int32),
    }
