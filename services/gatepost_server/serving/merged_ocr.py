"""Detector and recogniser as one step, for the repository's layout of that name: crops never leave the process."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import ClassVar

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.evidence import ModelVersion, StageReport
from gatepost_server.serving.parameters import stage_parameters
from gatepost_server.stages.base import Arrays, StageResult, text_array
from gatepost_server.stages.ocr_detect import OcrDetect
from gatepost_server.stages.ocr_recognize import OcrRecognize
from gatepost_server.tensors import contract
from gatepost_server.tensors.check import first_breach
from gatepost_server.tensors.reports import encode_report


class MergedOcr:
    """Implements Stage for contract.MERGED_OCR.

    Parameters are the recogniser's; the detector's own come from GATEPOST_MODEL_OCR_DETECT_..., as where it stands
    alone. The recogniser's report covers the time of both.
    """

    contract: ClassVar[contract.ModelContract] = contract.MERGED_OCR

    def __init__(self, parameters: Mapping[str, str]) -> None:
        directory = parameters["directory"]
        self._detect = OcrDetect(stage_parameters(OcrDetect.contract.model, {}, os.environ, directory=directory))
        self._recognize = OcrRecognize(parameters)

    @property
    def models(self) -> tuple[ModelVersion, ...]:
        """The recogniser's; the detector's are in its report."""
        return self._recognize.models

    def run(self, items: Sequence[Arrays]) -> Sequence[StageResult | GatepostError]:
        """Lines and texts of each request, or the error of the step that it failed in."""
        started = time.monotonic()
        found = [self._checked(result) for result in self._detect.run(items)]
        ended = time.monotonic()
        lines = [result for result in found if isinstance(result, StageResult)]
        texts = iter(self._recognize.run([result.arrays for result in lines]))
        return [
            result if isinstance(result, GatepostError) else self._both(result, next(texts), started, ended)
            for result in found
        ]

    def _checked(self, result: StageResult | GatepostError) -> StageResult | GatepostError:
        """The detector's answer if it keeps the contract that the shell holds it to where it stands alone."""
        breach = None if isinstance(result, GatepostError) else first_breach(contract.OCR_DETECT.outputs, result.arrays)
        if breach is None:
            return result
        what = f"{contract.OCR_DETECT.model}: {breach}"
        return GatepostError(ErrorCode.INTERNAL, ErrorReason.MODEL_OUTPUT_INVALID, what)

    def _both(
        self, found: StageResult, read: StageResult | GatepostError, started: float, ended: float
    ) -> StageResult | GatepostError:
        if isinstance(read, GatepostError):
            return read
        model = contract.OCR_DETECT.model
        report = StageReport(model, started, ended, self._detect.models, found.looked_at, found.skipped)
        made = {
            **found.arrays,
            **read.arrays,
            contract.OCR_DETECT.report.name: text_array([encode_report(report)]),
        }
        wanted = [tensor.name for tensor in self.contract.outputs]
        return StageResult({name: made[name] for name in wanted}, read.looked_at, read.skipped)
