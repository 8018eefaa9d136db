"""Nets on a CUDA device (or, for tests, the CPU) through torch."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gatepost_server.engines.net import Images, NetFile
from gatepost_server.engines.onnx_fx import module_from_onnx


class TorchNet:
    """An ONNX file as a torch module. Bytes go to the device, and only what is asked for comes back."""

    def __init__(self, file: NetFile, *, device: str = "cuda", threads: int = 1) -> None:
        if device == "cpu":
            torch.set_num_threads(threads)
        self.batch = 1 if device == "cpu" else 16
        self._device = torch.device(device)
        self._module = module_from_onnx(file.path).to(self._device)
        self._mean = torch.tensor(file.mean, device=self._device).view(1, 3, 1, 1)
        self._std = torch.tensor(file.std, device=self._device).view(1, 3, 1, 1)
        self._top1 = file.top1
        self._lock = threading.Lock()

    def run(self, images: Images) -> Sequence[NDArray[Any]]:
        with self._lock, torch.inference_mode():
            pixels = torch.from_numpy(np.ascontiguousarray(images)).to(self._device)
            output = self._module((pixels.permute(0, 3, 1, 2).float() - self._mean) / self._std)
            if not self._top1:
                return [output.cpu().numpy()]
            values, indices = output.max(-1)
            return [indices.int().cpu().numpy(), values.cpu().numpy()]
