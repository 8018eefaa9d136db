"""The ensemble in this process, without Triton: the same stages, parameters and checks, in the order of the contract.

For jobs that would rather keep the nets in their own workers than ask a server. What Triton adds is not here: batches
across callers, stages side by side, processes that may die alone.
"""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.evidence import StageReport
from gatepost_server.serving.parameters import stage_parameters
from gatepost_server.stages.base import Arrays, Stage, StageResult, text_array
from gatepost_server.stages.clip import Clip
from gatepost_server.stages.decode import DecodeStage
from gatepost_server.stages.fusion import Fusion
from gatepost_server.stages.ocr_detect import OcrDetect
from gatepost_server.stages.ocr_recognize import OcrRecognize
from gatepost_server.stages.text_toxicity import TextToxicity
from gatepost_server.tensors import contract
from gatepost_server.tensors.check import first_breach
from gatepost_server.tensors.reports import encode_report

STAGES: tuple[type[Stage], ...] = (DecodeStage, OcrDetect, OcrRecognize, TextToxicity, Clip, Fusion)

_VERSION = "1"  # the folder of each model
# As each config.pbtxt has it, one a line.
_PARAMETER = re.compile(r'^parameters \{ key: "(\w+)" value \{ string_value: "([^"]*)" \} \}$', re.MULTILINE)
_FAILED = GatepostError(ErrorCode.INTERNAL, ErrorReason.MODEL_FAILED, "a model failed on this request")

_log = structlog.get_logger("gatepost.ensemble")


class Ensemble:
    """Every stage once. `run` and `judge` are called from one thread at a time."""

    def __init__(self, repository: Path, environment: Mapping[str, str]) -> None:
        """Loads the nets of `repository`; `environment` overlays parameters as it does for Triton's stubs."""
        self._stages = [built(stage, repository / stage.contract.model, environment) for stage in STAGES]

    def run(self, items: Sequence[Arrays]) -> list[Arrays | GatepostError]:
        """The ensemble's outputs for each item's IMAGE, PROMPT and EXPECTED, or why there are none."""
        decoded = self.decode(items)
        good = iter(self.judge([each for each in decoded if not isinstance(each, GatepostError)]))
        return [each if isinstance(each, GatepostError) else next(good) for each in decoded]

    def decode(self, items: Sequence[Arrays]) -> list[Arrays | GatepostError]:
        """The first stage alone: what `judge` takes, or why an image is refused. May be called from many threads."""
        return _through(self._stages[:1], items)

    def judge(self, decoded: Sequence[Arrays]) -> list[Arrays | GatepostError]:
        """The nets: the ensemble's outputs for what `decode` gave."""
        wanted = [tensor.name for tensor in contract.ENSEMBLE_OUTPUTS]
        return [
            each if isinstance(each, GatepostError) else {name: each[name] for name in wanted}
            for each in _through(self._stages[1:], decoded)
        ]


def _through(stages: Sequence[Stage], items: Sequence[Arrays]) -> list[Arrays | GatepostError]:
    """Each item with what the stages add to it, or why it failed."""
    known: dict[int, Arrays] = dict(enumerate(items))
    failed: dict[int, GatepostError] = {}
    for stage in stages:
        for place, outputs in _step(stage, known).items():
            if isinstance(outputs, GatepostError):
                failed[place] = outputs
                del known[place]
            else:
                known[place] = {**known[place], **outputs}
    return [failed[place] if place in failed else known[place] for place in range(len(items))]


def _step(stage: Stage, known: Mapping[int, Arrays]) -> Mapping[int, Arrays | GatepostError]:
    """One stage over all that is going: its outputs and its report, by place."""
    names = [tensor.name for tensor in stage.contract.inputs]
    started = time.monotonic()
    results = _run(stage, [{name: arrays[name] for name in names} for arrays in known.values()])
    ended = time.monotonic()
    return {place: _checked(stage, result, started, ended) for place, result in zip(known, results, strict=True)}


def _checked(stage: Stage, result: StageResult | GatepostError, started: float, ended: float) -> Arrays | GatepostError:
    if isinstance(result, GatepostError):
        return result
    breach = first_breach(stage.contract.outputs, result.arrays)
    if breach is not None:
        what = f"{stage.contract.model}: {breach}"
        return GatepostError(ErrorCode.INTERNAL, ErrorReason.MODEL_OUTPUT_INVALID, what)
    report = StageReport(stage.contract.model, started, ended, stage.models, result.looked_at, result.skipped)
    return {**result.arrays, stage.contract.report.name: text_array([encode_report(report)])}


def built(stage: type[Stage], folder: Path, environment: Mapping[str, str]) -> Stage:
    """A stage with the parameters that Triton would give it; `folder` is the model's, with its config.pbtxt."""
    declared = dict(_PARAMETER.findall((folder / "config.pbtxt").read_text()))
    config = {"parameters": {key: {"string_value": value} for key, value in declared.items()}}
    name = stage.contract.model
    return stage(stage_parameters(name, config, environment, directory=str(folder / _VERSION)))


def _run(stage: Stage, items: Sequence[Arrays]) -> Sequence[StageResult | GatepostError]:
    """As the shell runs it: a stage that raises, or forgets one, has failed on all."""
    if not items:
        return ()
    try:
        results = stage.run(items)
    except Exception as error:  # noqa: BLE001 - the last guard: a batch that fails must answer every item
        # The message may quote the image's text, which logs must not hold; the frames say where it was.
        frames = "".join(traceback.format_tb(error.__traceback__))
        _log.error("stage_failed", stage=stage.contract.model, error=type(error).__name__, frames=frames)
        return [_FAILED] * len(items)
    return results if len(results) == len(items) else [_FAILED] * len(items)
