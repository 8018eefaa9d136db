"""Runs a torch module that a library built: as it is on a CUDA device, else through OpenVINO."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Run = Callable[[Floats | torch.Tensor], Floats]


def open_module(
    module: torch.nn.Module,
    example: Floats,
    *,
    device: str,
    threads: int,
    cache: Path | None = None,
    engine: str = "auto",
) -> Run:
    """A function from the module's one input to its one output, both float32 arrays; rows are the batch.

    Through torch, which CUDA devices always take and the CPU for `engine` torch, the input may lie on the device.

    On the CPU the module is converted for OpenVINO, which runs EfficientNet-lite0 in bf16 about four times as
    fast as torch does. The conversion takes seconds: with `cache` (a path without suffix) it is kept there.
    """
    if device == "cpu" and engine != "torch":
        return _openvino(module, example, threads, cache)
    return _torch(module, device)


def _torch(module: torch.nn.Module, device: str) -> Run:
    placed = module.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def run(batch: Floats | torch.Tensor) -> Floats:
        pixels = torch.as_tensor(batch).to(device, memory_format=torch.channels_last)
        with torch.inference_mode(), torch.autocast(device, torch.bfloat16):
            output: Floats = placed(pixels).float().cpu().numpy()
        return output

    return run


def _openvino(module: torch.nn.Module, example: Floats, threads: int, cache: Path | None) -> Run:
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
    compiled = core.compile_model(net, "CPU", options)  # bf16 where the CPU has it

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
