"""Nets on the CPU through onnxruntime: the fallback where OpenVINO is not installed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from gatepost_server.engines.net import Images, NetFile, Size, scaled, sized


class OnnxRuntimeNet:
    """One float32 session; onnxruntime allows concurrent `run`."""

    batch = 1

    def __init__(self, file: NetFile, *, threads: int = 1) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # the nets' unused initialisers are warned of one by one
        self._session = ort.InferenceSession(str(file.path), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._file = file

    def run(self, images: Images, size: Size | None = None) -> Sequence[NDArray[Any]]:
        (output,) = self._session.run(None, {self._input: scaled(sized(images, size), self._file)})
        if not self._file.top1:
            return [output]
        return [output.argmax(-1).astype(np.int32), output.max(-1)]
