"""Do the arrays of a stage keep the contract?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatepost_server.tensors.contract import PROMPT_SIMILARITY, Tensor

NUMPY_TYPES: Mapping[str, np.dtype[Any]] = {
    "TYPE_STRING": np.dtype(object),
    "TYPE_UINT8": np.dtype(np.uint8),
    "TYPE_INT32": np.dtype(np.int32),
    "TYPE_FP32": np.dtype(np.float32),
}
MAY_BE_NAN = frozenset({PROMPT_SIMILARITY.name})


def first_breach(tensors: Iterable[Tensor], arrays: Mapping[str, NDArray[Any]]) -> str | None:
    """What is wrong with the first array that breaks the contract; None where all keep it.

    `arrays` are without the batch dimension. Float tensors must be finite, but for those of MAY_BE_NAN.
    """
    declared = tuple(tensors)
    extra = arrays.keys() - {tensor.name for tensor in declared}
    if extra:
        return f"{min(extra)} is not in the contract"
    for tensor in declared:
        breach = _breach(tensor, arrays.get(tensor.name))
        if breach is not None:
            return f"{tensor.name} {breach}"
    return None


def _breach(tensor: Tensor, array: NDArray[Any] | None) -> str | None:
    if array is None:
        return "is missing"
    if array.dtype != NUMPY_TYPES[tensor.dtype]:
        return f"is {array.dtype}, not {tensor.dtype}"
    if array.ndim != len(tensor.dims) or any(
        want not in (-1, got) for want, got in zip(tensor.dims, array.shape, strict=True)
    ):
        return f"has shape {array.shape}, not {tensor.dims}"
    if array.dtype == object and not all(isinstance(value, bytes) for value in array.flat):
        return "holds something other than bytes"
    if array.dtype.kind == "f" and tensor.name not in MAY_BE_NAN and not np.isfinite(array).all():
        return "is not finite"
    return None
