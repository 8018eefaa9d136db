"""What every model.py is: pb_utils on Triton's side, a plain Stage on ours.

The shell strips and adds the batch dimension, gives every request its own answer or its own error, and holds the
outputs against the contract. It never raises out of `execute`: Triton would fail the whole batch and send the
message, with paths of this server, to every client in it. This is the only module that imports pb_utils.
"""

from __future__ import annotations

import json
import os
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import triton_python_backend_utils as pb_utils

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.evidence import StageReport
from gatepost_server.serving.hang import FIRST, ends_process_after, hang_limit_s
from gatepost_server.serving.memory_limit import limit_memory
from gatepost_server.serving.parameters import stage_parameters
from gatepost_server.stages.base import Arrays, Stage, StageResult, text_array
from gatepost_server.tensors.check import first_breach
from gatepost_server.tensors.errors import encode_error
from gatepost_server.tensors.reports import encode_report

# Names, for the stub gives pb_utils its classes only after it has imported model.py.
TRITON_CODES = {
    ErrorCode.INVALID_ARGUMENT: "INVALID_ARG",
    ErrorCode.UNAUTHENTICATED: "INTERNAL",  # no stage says so; the map is complete all the same
    ErrorCode.PERMISSION_DENIED: "INTERNAL",
    ErrorCode.NOT_FOUND: "NOT_FOUND",
    ErrorCode.FAILED_PRECONDITION: "UNAVAILABLE",
    ErrorCode.RESOURCE_EXHAUSTED: "UNAVAILABLE",
    ErrorCode.DEADLINE_EXCEEDED: "CANCELLED",
    ErrorCode.UNAVAILABLE: "UNAVAILABLE",
    ErrorCode.INTERNAL: "INTERNAL",
}
FAILED = GatepostError(ErrorCode.INTERNAL, ErrorReason.MODEL_FAILED, "a model failed on this request")


def check_tensors_survive() -> None:
    """Refuse to start where pb_utils and numpy disagree.

    Triton 2.51's Python backend reads numpy 2 arrays silently wrong and aborts on their strings, so a stage
    would judge garbage. Raises RuntimeError.
    """
    if int(np.__version__.split(".")[0]) >= 2:
        raise RuntimeError(f"the Python backend needs numpy < 2, found {np.__version__}")
    for array in (np.arange(6, dtype=np.float32).reshape(2, 3), np.arange(4, dtype=np.uint8), text_array(["零", ""])):
        if not np.array_equal(pb_utils.Tensor("SELF_TEST", array).as_numpy(), array):
            raise RuntimeError(f"a {array.dtype} tensor came back changed from the Python backend")


class StageShell:
    """Triton's model interface over `stage_type`, which each model.py names."""

    stage_type: ClassVar[type[Stage]]

    def initialize(self, args: dict[str, str]) -> None:
        """Build the stage. Whatever this raises ends in the server's log and the model does not load."""
        check_tensors_survive()
        contract = self.stage_type.contract
        directory = Path(args["model_repository"]) / args["model_version"]
        config = json.loads(args["model_config"])
        parameters = stage_parameters(contract.model, config, os.environ, directory=str(directory))
        limit_memory(parameters)
        self._hang_s = hang_limit_s(parameters)
        self._patience = FIRST
        self._stage = self.stage_type(parameters)
        self._inputs = tuple(tensor.name for tensor in contract.inputs)

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """One response for each request, in order."""
        started = time.monotonic()
        inputs = [self._read(request) for request in requests]
        readable = [item for item in inputs if not isinstance(item, GatepostError)]
        answers = iter(self._run(readable))
        results = [item if isinstance(item, GatepostError) else next(answers) for item in inputs]
        ended = time.monotonic()
        return [self._respond(result, started, ended) for result in results]

    def _read(self, request: Any) -> Arrays | GatepostError:
        arrays = {name: pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in self._inputs}
        if any(len(array) != 1 for array in arrays.values()):
            return GatepostError(
                ErrorCode.INVALID_ARGUMENT, ErrorReason.FIELD_INVALID, "a request holds exactly one image"
            )
        return {name: array[0] for name, array in arrays.items()}

    def _run(self, items: Sequence[Arrays]) -> Sequence[StageResult | GatepostError]:
        if not items:
            return ()
        try:
            with ends_process_after(self._patience * self._hang_s):
                results = self._stage.run(items)
            self._patience = 1.0
        except Exception as error:  # noqa: BLE001 - the last guard before Triton, which would fail the whole batch
            # The message may quote the image's text, which logs must not hold; the frames say where it was.
            self._log("".join(traceback.format_tb(error.__traceback__)) + type(error).__name__)
            return [FAILED] * len(items)
        if len(results) != len(items):
            self._log(f"{len(results)} results for {len(items)} items")
            return [FAILED] * len(items)
        return results

    def _respond(self, result: StageResult | GatepostError, started: float, ended: float) -> Any:
        if isinstance(result, GatepostError):
            return _error_response(result)
        contract = self._stage.contract
        breach = first_breach(contract.outputs, result.arrays)
        if breach is not None:
            self._log(breach)
            return _error_response(
                GatepostError(ErrorCode.INTERNAL, ErrorReason.MODEL_OUTPUT_INVALID, f"{contract.model}: {breach}")
            )
        report = StageReport(contract.model, started, ended, self._stage.models, result.looked_at, result.skipped)
        arrays = {**result.arrays, contract.report.name: text_array([encode_report(report)])}
        return pb_utils.InferenceResponse(
            [pb_utils.Tensor(name, np.ascontiguousarray(array[np.newaxis])) for name, array in arrays.items()]
        )

    def _log(self, what: str) -> None:
        pb_utils.Logger.log_error(f"{self._stage.contract.model}: {what}")


def _error_response(error: GatepostError) -> Any:
    code = getattr(pb_utils.TritonError, TRITON_CODES[error.code])
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(encode_error(error), code))
