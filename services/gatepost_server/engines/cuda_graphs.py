"""Forward passes that a CUDA device replays instead of being told them anew: one recording for each shape.

A small net is hundreds of kernels of a few microseconds each, and launching them from Python takes longer than
running them (CUDA graphs: docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs). A recording has one shape, so
batches are filled up to a power of two, and only shapes that come back are recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from cachetools import LRUCache
from torch import Tensor

Outputs = tuple[Tensor, ...]
Forward = Callable[[Tensor], Outputs]
Record = Callable[[Forward, Tensor], Forward]

MOST = 32  # recordings kept; each holds its inputs, outputs and intermediates on the device
_SHAPES_REMEMBERED = 1024


class Graphs:
    """`forward` by shape: run as it is for a new one, recorded when it comes again, the longest unused forgotten.

    The outputs are overwritten by the next call, and calls must not overlap.
    """

    def __init__(self, forward: Forward, *, record: Record, most: int = MOST) -> None:
        """`forward` maps N rows to outputs of N rows each, every row by itself."""
        self._forward = forward
        self._record = record
        self._seen: LRUCache[tuple[int, ...], None] = LRUCache(_SHAPES_REMEMBERED)
        self._recorded: LRUCache[tuple[int, ...], Forward] = LRUCache(most)

    def __call__(self, rows: Tensor) -> Outputs:
        filled = filled_up(rows)
        return tuple(output[: len(rows)] for output in self._run(filled)(filled))

    def _run(self, rows: Tensor) -> Forward:
        shape = tuple(rows.shape)
        if shape in self._recorded:
            return self._recorded[shape]
        if shape not in self._seen:
            self._seen[shape] = None
            return self._forward
        self._recorded[shape] = self._record(self._forward, rows)
        return self._recorded[shape]


def filled_up(rows: Tensor) -> Tensor:
    """`rows` and zeros after them, so that their number is a power of two."""
    missing = (1 << (len(rows) - 1).bit_length()) - len(rows)
    return torch.cat((rows, rows.new_zeros((missing, *rows.shape[1:])))) if missing else rows


class Recorder:
    """Records forward passes on one CUDA device; all recordings share the memory of their intermediates."""

    def __init__(self) -> None:
        self._pool: Any = torch.cuda.graph_pool_handle()

    def __call__(self, forward: Forward, example: Tensor) -> Forward:
        """A function for inputs of the example's shape. Raises RuntimeError for what cannot be recorded."""
        held = example.clone()
        aside = torch.cuda.Stream(example.device)  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream(example.device))
        with torch.cuda.stream(aside):  # libraries choose their kernels now, which a recording must not do
            forward(held)
        torch.cuda.current_stream(example.device).wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
            outputs = forward(held)

        def replay(rows: Tensor) -> Outputs:
            held.copy_(rows)
            graph.replay()
            return outputs

        return replay
