"""ONNX nets of float inputs on the CPU: through OpenVINO, else through onnxruntime.

Matrices may be stored as int8 (DequantizeLinear on a constant). They are expanded before an engine sees the net:
OpenVINO 2026.4 otherwise ends the process with a division by zero in bfloat16, and onnxruntime expands them anew in
every run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

Floats = NDArray[np.float32]
GraphNet = Callable[[dict[str, Floats]], Floats]  # inputs by name -> the one output

ENGINES = ("auto", "openvino", "onnxruntime")


def open_graph(path: Path, *, engine: str = "auto", threads: int = 1, precision: str = "auto") -> GraphNet:
    """Load a net of one output; sizes may change from call to call. Calls are served one after another.

    "auto" takes OpenVINO where it is installed, and so does "torch", which other nets may be told to use. `precision`
    ("auto", "bf16", "f32") is heard by OpenVINO only.
    Raises FileNotFoundError for a missing file, ValueError for a broken one or an unknown engine.
    """
    if engine not in (*ENGINES, "torch"):
        raise ValueError(f"engine must be one of {', '.join(ENGINES)}, not {engine!r}")
    content = _expanded(path)
    if engine == "onnxruntime" or (engine != "openvino" and find_spec("openvino") is None):
        return _onnxruntime(content, threads)
    return _openvino(content, threads, precision)


def _expanded(path: Path) -> bytes:
    try:
        model = onnx.load(str(path))
        onnx.checker.check_model(model)
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(f"{path} is no ONNX net: {error}") from error
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    nodes = []
    for node in graph.node:
        if node.op_type != "DequantizeLinear" or node.input[0] not in constants:
            nodes.append(node)
            continue
        small, scales = (numpy_helper.to_array(constants[name]) for name in node.input[:2])
        graph.initializer.append(numpy_helper.from_array(small.astype(np.float32) * scales, node.output[0]))
        for name in node.input:
            graph.initializer.remove(constants[name])
    del graph.node[:]
    graph.node.extend(nodes)
    expanded: bytes = model.SerializeToString()
    return expanded


def _openvino(content: bytes, threads: int, precision: str) -> GraphNet:
    import openvino

    core = openvino.Core()
    if precision == "auto":
        precision = "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"
    options: dict[str, Any] = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": precision,
        "CPU_RUNTIME_CACHE_CAPACITY": 64,  # prepared sizes; callers keep to a few
    }
    compiled = core.compile_model(core.read_model(content), "CPU", options)
    request = compiled.create_infer_request()
    lock = threading.Lock()

    def run(inputs: dict[str, Floats]) -> Floats:
        with lock:
            return np.array(request.infer(inputs)[compiled.output(0)], dtype=np.float32)

    return run


def _onnxruntime(content: bytes, threads: int) -> GraphNet:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def run(inputs: dict[str, Floats]) -> Floats:
        return np.asarray(session.run(None, inputs)[0], np.float32)

    return run
