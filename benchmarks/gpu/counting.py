"""Operations and bytes that a net cannot do without, counted while it runs once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True, slots=True)
class Work:
    """Of one forward pass.

    `flops` are those of convolutions and matrix products, a multiply-add being two. `least_bytes` reads the input and
    every weight once and writes the output once; `step_bytes` is what an engine moves that fuses nothing: every
    operator reads its inputs and writes its outputs.
    """

    flops: int
    least_bytes: int
    step_bytes: int


def work_of(module: torch.nn.Module, example: torch.Tensor) -> Work:
    """The work of `module` for `example`, at the example's own precision.

    Attention is run as plain matrix products, for the counter does not know every fused form of it.
    """
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with (
            torch.inference_mode(),
            sdpa_kernel(SDPBackend.MATH),
            FlopCounterMode(display=False) as flops,
            _Traffic() as traffic,
        ):
            output = module(example)
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
    weights = [*module.parameters(), *module.buffers()]
    least = sum(_bytes(tensor) for tensor in (example, output, *weights))
    return Work(flops.get_total_flops(), least, traffic.bytes)


class _Traffic(TorchDispatchMode):
    """Adds up the tensors that go into and come out of every operator that is no view."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        if not func.is_view:
            self.bytes += sum(_bytes(leaf) for leaf in tree_leaves((args, kwargs, output)))
        return output


def _bytes(value: Any) -> int:
    return value.numel() * value.element_size() if isinstance(value, torch.Tensor) else 0
