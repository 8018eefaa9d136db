"""What a stub gives a model as `triton_python_backend_utils`, without a stub.

The wheel ships the module's Python half; that is run here as it is. Its other half, the classes, comes from the
stub's own C++ module in production and is written out below (API of Triton 2.51). As in the stub, they are not
there while a model.py is imported: `attach()` adds them, `detach()` takes them away again.
"""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import ClassVar

import numpy as np

_SHIPPED = Path(
    str(
        importlib.metadata.distribution("nvidia-pytriton").locate_file(
            "pytriton/tritonserver/backends/python/triton_python_backend_utils.py"
        )
    )
)
exec(compile(_SHIPPED.read_text(), str(_SHIPPED), "exec"))


class _TritonError(Exception):
    UNKNOWN, INTERNAL, NOT_FOUND, INVALID_ARG, UNAVAILABLE, UNSUPPORTED, ALREADY_EXISTS, CANCELLED = range(8)

    def __init__(self, message, code=INTERNAL):
        super().__init__(message)
        self._message, self._code = message, code

    def message(self):
        return self._message

    def code(self):
        return self._code


class _Tensor:
    def __init__(self, name, array):
        if not isinstance(array, np.ndarray):
            raise TypeError("Tensor() takes a numpy.ndarray")
        if array.dtype == object and array.size:
            # Strings cross the process boundary in this form, so what does not survive it must not survive here.
            sent = serialize_byte_tensor(array)  # noqa: F821 - from the shipped half
            array = deserialize_bytes_tensor(sent).reshape(array.shape)  # noqa: F821
        self._name, self._array = name, array

    def name(self):
        return self._name

    def as_numpy(self):
        return self._array

    def shape(self):
        return list(self._array.shape)


class _InferenceRequest:
    def __init__(self, inputs=(), request_id=""):
        self._inputs, self._request_id = list(inputs), request_id

    def inputs(self):
        return self._inputs

    def request_id(self):
        return self._request_id


class _InferenceResponse:
    def __init__(self, output_tensors=(), error=None):
        self._tensors, self._error = list(output_tensors), error

    def output_tensors(self):
        return self._tensors

    def error(self):
        return self._error

    def has_error(self):
        return self._error is not None


class _Logger:
    errors: ClassVar[list[str]] = []

    @classmethod
    def log_error(cls, message):
        cls.errors.append(message)


_CLASSES = {
    "TritonError": _TritonError,
    "Tensor": _Tensor,
    "InferenceRequest": _InferenceRequest,
    "InferenceResponse": _InferenceResponse,
    "Logger": _Logger,
}


def attach():
    globals().update(_CLASSES)
    _Logger.errors = []


def detach():
    for name in _CLASSES:
        globals().pop(name, None)
