"""What stands in a stage's place in Triton: the true model.py, which fails as the switch says (see overlay.py).

raise        the stage raises
nan          the stage's numbers are not finite
shape        the stage's arrays have a row too many
hang         the stage does not return
nan-raw      as nan and shape, but behind the shell that checks what a stage returns:
shape-raw    as a model would that was not ours
"""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))  # the link's folder, where the true model.py lies

import genuine
import triton_python_backend_utils as pb_utils

FOREVER_S = 3_600.0


def fault_of(model):
    """How this model is to fail now; "" for not at all."""
    try:
        name, how = Path(os.environ["CHAOS_MODEL_FAULT"]).read_text().split()
    except OSError:
        return ""
    return how if name == model else ""


def spoiled(array, how):
    """The array with numbers that are none, or of another shape."""
    if how == "shape":
        return np.concatenate([array, array[-1:]]) if len(array) else np.zeros((3, 5, 7), array.dtype)
    return np.full_like(array, np.nan) if array.dtype.kind == "f" else array


class Spoiling:
    """A stage that fails where its model is to fail."""

    def __init__(self, stage):
        self._stage = stage

    def __getattr__(self, name):
        return getattr(self._stage, name)

    def run(self, items):
        how = fault_of(self._stage.contract.model)
        if how == "raise":
            raise RuntimeError("a fault of the test")
        if how == "hang":
            time.sleep(FOREVER_S)
        results = self._stage.run(items)
        if how not in ("nan", "shape"):
            return results
        return [
            replace(result, arrays={name: spoiled(array, how) for name, array in result.arrays.items()})
            if hasattr(result, "arrays")
            else result
            for result in results
        ]


class TritonPythonModel(genuine.TritonPythonModel):
    """The true model around a stage that can fail."""

    def initialize(self, args):
        super().initialize(args)
        self._stage = Spoiling(self._stage)

    def _respond(self, result, started, ended):
        response = super()._respond(result, started, ended)
        how = fault_of(self._stage.contract.model)
        if how not in ("nan-raw", "shape-raw") or response.has_error():
            return response
        tensors = [(tensor.name(), tensor.as_numpy()) for tensor in response.output_tensors()]
        return pb_utils.InferenceResponse(
            [pb_utils.Tensor(name, spoiled(array[0], how.removesuffix("-raw"))[np.newaxis]) for name, array in tensors]
        )
