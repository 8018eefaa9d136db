"""Nets on the CPU through OpenVINO, in bfloat16 where the processor computes in it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import openvino as ov
from numpy.typing import NDArray
from openvino import opset13
from openvino.preprocess import PrePostProcessor

from gatepost_server.engines.net import Images, NetFile, Size, sized
from gatepost_server.engines.openvino_rewrites import rewritten


class OpenVinoNet:
    """One compiled net with one inference request.

    `precision` is "auto", "bf16" or "f32". "auto" takes bfloat16 on processors with AVX512-BF16 or
    AMX, where it halves the time, and float32 elsewhere.
    """

    batch = 1

    def __init__(self, file: NetFile, *, threads: int = 1, precision: str = "auto") -> None:
        core = ov.Core()
        if precision == "auto":
            precision = "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"
        self.precision = precision
        model = rewritten(core.read_model(file.path))
        if file.top1:
            model = _with_top1(model)
        compiled = core.compile_model(
            _with_uint8_input(model, file),
            "CPU",
            {
                "INFERENCE_NUM_THREADS": threads,
                "NUM_STREAMS": 1,
                "INFERENCE_PRECISION_HINT": precision,
                # Every picture size is a new shape; a large cache of prepared shapes costs memory and saves little.
                "CPU_RUNTIME_CACHE_CAPACITY": 16,
            },
        )
        self._request = compiled.create_infer_request()
        self._outputs = compiled.outputs
        self._lock = threading.Lock()

    def run(self, images: Images, size: Size | None = None) -> Sequence[NDArray[Any]]:
        with self._lock:
            answer = self._request.infer([sized(images, size)], share_inputs=True)
            return [answer[output].copy() for output in self._outputs]


def _with_top1(model: ov.Model) -> ov.Model:
    """The same net, its output reduced over the last axis to (index, value)."""
    scores = model.output(0).get_node().input_value(0)
    top = opset13.topk(scores, opset13.constant(1), -1, "max", "none", index_element_type="i32")
    last = opset13.constant([-1])
    index, value = opset13.squeeze(top.output(1), last), opset13.squeeze(top.output(0), last)
    return ov.Model([index, value], model.get_parameters())


def _with_uint8_input(model: ov.Model, file: NetFile) -> ov.Model:
    """The same net with a uint8 NHWC input; layout and scale become part of the net."""
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    steps.input().model().set_layout(ov.Layout("NCHW"))
    steps.input().preprocess().convert_element_type(ov.Type.f32).mean(list(file.mean)).scale(list(file.std))
    return steps.build()
