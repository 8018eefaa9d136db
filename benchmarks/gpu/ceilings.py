"""What a device can do at most: one large matrix product, one large copy; and how long a net takes on it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

ROUNDS = 7


@dataclass(frozen=True, slots=True)
class Ceilings:
    """Operations and bytes a second, measured."""

    flops: float
    bytes: float


def measured(device: str, dtype: torch.dtype, *, side: int, copied: int) -> Ceilings:
    """Of a product of two side x side matrices, and of a copy of `copied` bytes (each read once and written once)."""
    left, right = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    source = torch.randint(0, 256, (copied,), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return Ceilings(
        2 * side**3 / seconds(lambda: left @ right, device),
        2 * copied / seconds(lambda: target.copy_(source), device),
    )


def seconds(call: Callable[[], object], device: str, rounds: int = ROUNDS) -> float:
    """Median of `rounds` calls after two that do not count, each waited for."""
    taken = []
    for index in range(rounds + 2):
        _wait(device)
        began = time.perf_counter()
        call()
        _wait(device)
        if index >= 2:
            taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
