"""The recogniser as a stage: every candidate crop is read, the best reading of each line is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.evidence import ModelVersion, Skipped
from gatepost_server.engines.choose import open_net
from gatepost_server.engines.net import NetFile
from gatepost_server.engines.weights import characters, find_weights
from gatepost_server.stages.base import Arrays, StageResult, text_array
from gatepost_server.stages.ocr_recognize.batches import Crop, plan, stack
from gatepost_server.stages.ocr_recognize.ctc import NOTHING, Reading, decode
from gatepost_server.stages.ocr_recognize.ornaments import Ornaments
from gatepost_server.tensors import contract

HALF = 127.5  # pixels enter as -1 to 1
SPARSE = 0.5  # characters for each height that a crop is wide; Chinese has about 1, English 2
WIDE = 3.5  # heights; ornaments have a narrower crop: what has none, and cannot be read at all, may be another script
NARROWEST = 4  # pixels; what is narrower holds no character


@dataclass(frozen=True, slots=True)
class _Page:
    """One request's crops; line[k] is the line that crop k is a reading of. Lines count from 0."""

    crops: Sequence[Crop]
    line: Sequence[int]
    lines: int


class OcrRecognize:
    """Reads the crops of all requests together.

    Parameters, all optional: `rec_model` (engines.weights.find_weights), `engine`, `device`, `precision`,
    `threads`, `cuda_graphs`, `compiled`, `batch` (engines.choose.open_net), `flip_below` (a line whose best reading
    is less confident than this is read once more upside down; 0.9), `ornaments` ("tell": what is no text at all gets
    the confidence 0; "keep").
    """

    contract: ClassVar[contract.ModelContract] = contract.OCR_RECOGNIZE

    def __init__(self, parameters: Mapping[str, str]) -> None:
        weights = find_weights(parameters.get("rec_model") or "PP-OCRv6_small_rec")
        self._alphabet = [*characters(weights), " "]
        self._net = open_net(
            NetFile(weights.path, (HALF,) * 3, (HALF,) * 3, top1=True),
            engine=parameters.get("engine", "auto"),
            device=parameters.get("device", "auto"),
            threads=int(parameters.get("threads", "1")),
            precision=parameters.get("precision", "auto"),
            cuda_graphs=parameters.get("cuda_graphs", "off"),
            compiled=parameters.get("compiled", "off"),
            batch=int(parameters.get("batch", "0")),
        )
        self._flip_below = float(parameters.get("flip_below", "0.9"))
        self._ornaments = None if parameters.get("ornaments") == "keep" else Ornaments.load()
        self._models = (ModelVersion(weights.name, weights.version),)

    @property
    def models(self) -> tuple[ModelVersion, ...]:
        return self._models

    def run(self, items: Sequence[Arrays]) -> Sequence[StageResult | GatepostError]:
        """Texts and confidences of each request's lines.

        A line that the net gave no numbers for has the confidence NaN, which the contract refuses. A request
        whose widths do not cover its strip, or whose lines are not numbered from 0, gets MODEL_OUTPUT_INVALID:
        the detector made it so, not the caller.
        """
        pages = [_page(item) for item in items]
        best = self._read_pages([page for page in pages if isinstance(page, _Page)])
        answers = iter(best)
        return [page if isinstance(page, GatepostError) else self._result(page, next(answers)) for page in pages]

    def _read_pages(self, pages: Sequence[_Page]) -> list[list[Reading]]:
        """The best reading of each line of each page."""
        best = [[NOTHING] * page.lines for page in pages]
        crops = [
            (p, line, crop) for p, page in enumerate(pages) for line, crop in zip(page.line, page.crops, strict=True)
        ]
        self._improve(best, crops)
        doubtful = [
            (page, line, crop[::-1, ::-1]) for page, line, crop in crops if self._in_doubt(best[page][line], crop)
        ]
        self._improve(best, doubtful)
        return best

    def _result(self, page: _Page, readings: Sequence[Reading]) -> StageResult:
        confidences = [reading.confidence for reading in readings]
        ornaments = 0
        for index, crop in self._first_crops(page):
            if self._ornaments is not None and self._ornaments.is_one(readings[index].text, confidences[index], crop):
                confidences[index] = 0.0
                ornaments += 1
        arrays = {
            "TEXTS": text_array([reading.text for reading in readings]),
            "TEXT_CONFIDENCES": np.array(confidences, dtype=np.float32),
        }
        unread = {index for index, reading in enumerate(readings) if not reading.text}
        looked_at = {"lines": page.lines, "crops": len(page.crops), "ornaments": ornaments, "unread": len(unread)}
        narrow = {
            line for line, crop in zip(page.line, page.crops, strict=True) if crop.shape[1] < WIDE * crop.shape[0]
        }
        lost = len(unread - narrow)
        skipped = (Skipped(f"{lost} of {page.lines} lines", "could not be read"),) if lost else ()
        return StageResult(arrays, looked_at=looked_at, skipped=skipped)

    @staticmethod
    def _first_crops(page: _Page) -> Iterable[tuple[int, Crop]]:
        """Each line with its first crop."""
        return dict(zip(reversed(page.line), reversed(page.crops), strict=True)).items()

    def _in_doubt(self, reading: Reading, crop: Crop) -> bool:
        """Whether text may stand on its head: the net is unsure, or sees one stroke (一) in a crop for many."""
        height, width = crop.shape[:2]
        return reading.confidence < self._flip_below or len(reading.text) < SPARSE * width / height

    def _improve(self, best: list[list[Reading]], crops: Sequence[tuple[int, int, Crop]]) -> None:
        """Read `crops` (page, line, pixels) and keep what is better than `best`; nothing is better than BROKEN."""
        readings = self._read([crop for _, _, crop in crops])
        for (page, line, _), reading in zip(crops, readings, strict=True):
            if best[page][line] is NOTHING or reading.evidence > best[page][line].evidence:
                best[page][line] = reading

    def _read(self, crops: Sequence[Crop]) -> list[Reading]:
        readings = [NOTHING] * len(crops)
        for indices, width in plan([crop.shape[1] for crop in crops], self._net.batch):
            classes, probabilities = self._net.run(_bgr(stack([crops[index] for index in indices], width)))
            for index, row, sure in zip(indices, classes, probabilities, strict=True):
                readings[index] = decode(row, sure, self._alphabet)
        return readings


def _page(item: Arrays) -> _Page | GatepostError:
    strip, widths, line = item["CROPS"], item["CROP_WIDTHS"], item["CROP_LINES"]
    lines = int(line.max()) + 1 if len(line) else 0
    if len(widths) != len(line) or widths.sum() != strip.shape[1] or (widths < NARROWEST).any():
        return _broken("crop widths do not cover the strip")
    if len(line) and (line.min() < 0 or len(np.unique(line)) != lines):
        return _broken("lines are not numbered from 0")
    ends = np.cumsum(widths)
    crops = [strip[:, end - width : end] for end, width in zip(ends, widths, strict=True)]
    return _Page(crops, [int(index) for index in line], lines)


def _broken(message: str) -> GatepostError:
    return GatepostError(ErrorCode.INTERNAL, ErrorReason.MODEL_OUTPUT_INVALID, message)


def _bgr(rgb: Crop) -> Crop:
    """PaddleOCR trains on OpenCV's order of channels."""
    return np.ascontiguousarray(rgb[..., ::-1])
