"""Runs a torch module that a library built: as it is on a CUDA device, else through OpenVINO."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

Floats = NDArray[np.float32]
TYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}

Run = Callable[[Floats | torch.Tensor], Floats]


def open_module(
    module: torch.nn.Module,
    example: Floats,
    *,
    device: str,
    threads: int,
    cache: Path | None = None,
    engine: str = "auto",
    precision: str = "auto",
) -> Run:
    """A function from the module's one input to its one output, both float32 arrays; rows are the batch.

    Through torch, which CUDA devices always take and the CPU for `engine` torch, the input may lie on the device.
    `precision` is "auto", "f32", "bf16" or, for torch, "f16", which is its choice: EfficientNet-lite0's vectors stay
    within 0.0006 of those of f32 by cosine, where those of bf16 lie up to 0.007 apart. OpenVINO's own choice is bf16
    where the processor has it. Raises ValueError for another one.

    On the CPU the module is converted for OpenVINO, which runs EfficientNet-lite0 in bf16 about four times as
    fast as torch does. The conversion takes seconds: with `cache` (a path without suffix) it is kept there.
    """
    if precision not in ("auto", *TYPES):
        raise ValueError(f"precision must be auto, {', '.join(TYPES)}, not {precision!r}")
    if device == "cpu" and engine != "torch":
        return _openvino(module, example, threads, precision, cache)
    return _torch(module, device, precision)


def _torch(module: torch.nn.Module, device: str, precision: str) -> Run:
    dtype = TYPES["f16" if precision == "auto" else precision]
    placed = module.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def run(batch: Floats | torch.Tensor) -> Floats:
        pixels = torch.as_tensor(batch).to(device, memory_format=torch.channels_last)
        with torch.inference_mode(), torch.autocast(device, dtype, enabled=dtype != torch.float32):
            output: Floats = placed(pixels).float().cpu().numpy()
        return output

    return run


def _openvino(module: torch.nn.Module, example: Floats, threads: int, precision: str, cache: Path | None) -> Run:
    import openvino

    core = openvino.Core()
    if cache is not None and cache.with_suffix(".xml").exists():
        net = core.read_model(cache.with_suffix(".xml"))
    else:
        net = openvino.convert_model(module, example_input=torch.from_numpy(example))
        net.reshape([-1, *example.shape[1:]])
        if cache is not None:
            _keep(net, cache)
    options: dict[str, Any] = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    if precision != "auto":  # otherwise bf16 where the CPU has it
        options["INFERENCE_PRECISION_HINT"] = precision
    compiled = core.compile_model(net, "CPU", options)

    def run(batch: Floats | torch.Tensor) -> Floats:
        return np.array(compiled(batch)[0], dtype=np.float32)

    return run


def _keep(net: Any, cache: Path) -> None:
    """Writes the weights before the graph, and renames, so that a reader finds both or none."""
    import openvino

    draft = cache.with_name(f"{cache.name}.{id(net):x}")
    openvino.save_model(net, draft.with_suffix(".xml"), compress_to_fp16=True)
    draft.with_suffix(".bin").replace(cache.with_suffix(".bin"))
    draft.with_suffix(".xml").replace(cache.with_suffix(".xml"))
