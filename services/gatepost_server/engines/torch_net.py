"""Nets on a CUDA device (or, for tests, the CPU) through torch."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gatepost_server.engines.cuda_graphs import Forward, Graphs, Recorder
from gatepost_server.engines.module import TYPES
from gatepost_server.engines.net import Images, NetFile, Size
from gatepost_server.engines.onnx_fx import module_from_onnx
from gatepost_server.engines.resizing import sized_there

Compiler = Callable[..., Callable[..., Any]]  # a backend of torch.compile


class TorchNet:
    """An ONNX file as a torch module. Bytes go to the device, and only what is asked for comes back."""

    def __init__(
        self,
        file: NetFile,
        *,
        device: str = "cuda",
        threads: int = 1,
        precision: str = "auto",
        graphs: bool = False,
        compiler: str | Compiler = "",
        batch: int = 0,
    ) -> None:
        """`precision` is that of convolutions and matrix products: auto (f32), f32, bf16 or f16.

        With `graphs`, shapes that come back are replayed (engines.cuda_graphs). `compiler` is a backend of
        torch.compile, "" for none: one compilation serves all batches and one all single images. `batch` is how many
        images are run together at most; 0 for 16, and 1 on the CPU. Raises ValueError for another precision, and
        for graphs on the CPU.
        """
        if precision not in ("auto", *TYPES):
            raise ValueError(f"precision must be auto, {', '.join(TYPES)}, not {precision!r}")
        if graphs and device == "cpu":
            raise ValueError("graphs need a CUDA device")
        torch.set_num_threads(threads)
        self.batch = batch or (1 if device == "cpu" else 16)
        self._device = torch.device(device)
        self._type = TYPES.get(precision, torch.float32)
        module = module_from_onnx(file.path).to(self._device)
        self._module = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._mean = torch.tensor(file.mean, device=self._device).view(1, 3, 1, 1)
        self._std = torch.tensor(file.std, device=self._device).view(1, 3, 1, 1)
        self._top1 = file.top1
        self._lock = threading.Lock()
        forward: Forward = self.forward
        if compiler:  # in one piece: what it could not take in would make the device wait
            forward = torch.compile(self.forward, backend=compiler, dynamic=True, fullgraph=True)
        self._run: Forward = Graphs(forward, record=Recorder()) if graphs else forward

    def run(self, images: Images, size: Size | None = None) -> Sequence[NDArray[Any]]:
        with self._lock, torch.inference_mode():
            pixels = torch.from_numpy(np.ascontiguousarray(images))
            if self._device.type == "cuda":
                pixels = pixels.pin_memory().to(self._device, non_blocking=True)
            return [output.cpu().numpy() for output in self._run(sized_there(pixels, size))]

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """What `run` answers, on the device, for bytes there (N, height, width, 3).

        Seen as N, 3, height, width these are channels-last already, so nothing is laid out anew.
        """
        scaled = (pixels.permute(0, 3, 1, 2).float() - self._mean) / self._std
        with self._reduced():
            output = self._module(scaled).float()
        if not self._top1:
            return (output,)
        values, indices = output.max(-1)
        return indices.int(), values

    def _reduced(self) -> contextlib.AbstractContextManager[Any]:
        if self._type == torch.float32:
            return contextlib.nullcontext()
        # Casts that were kept from one call to the next would not be part of a recording.
        return torch.autocast(self._device.type, self._type, cache_enabled=False)
