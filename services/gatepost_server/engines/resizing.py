"""OpenCV's linear resizing of bytes, bit for bit, where the pixels lie.

After OpenCV 4's modules/imgproc/src/resize.cpp (resizeGeneric_, HResizeLinear, VResizeLinearVec_32s8u): weights are
whole 2048ths, rows are added up before columns, and what is shifted away is lost. Float arithmetic is a level off here
and there, and that changed what was read of doubtful text on one of 32 cards.
"""

from __future__ import annotations

from functools import lru_cache

import torch

from gatepost_server.engines.net import Size

_WHOLE = 2048

_Taps = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


def sized_there(pixels: torch.Tensor, size: Size | None) -> torch.Tensor:
    """As engines.net.sized: bytes (N, height, width, 3) at `size`, on the device of `pixels`."""
    height, width = pixels.shape[1:3]
    if size is None or (height, width) == size:
        return pixels
    left, right, near, far = _taps(width, size[1], pixels.device, edges=True)
    upper, lower, above, below = _taps(height, size[0], pixels.device, edges=False)
    whole = pixels.int()
    rows = whole[:, :, left] * near[:, None] + whole[:, :, right] * far[:, None]
    over = (rows[:, upper] >> 4) * above[:, None, None] >> 16
    under = (rows[:, lower] >> 4) * below[:, None, None] >> 16
    return ((over + under + 2) >> 2).to(torch.uint8)


@lru_cache(maxsize=64)
def _taps(source: int, target: int, device: torch.device, *, edges: bool) -> _Taps:
    """For each of `target` pixels: the two of `source` that it lies between, and their weights.

    With `edges` a pixel beyond the middles of the outermost ones is one of them, else a sum of the same one twice.
    """
    places = ((torch.arange(target, dtype=torch.float64) + 0.5) * (1 / (target / source)) - 0.5).float()
    first = places.floor()
    part = places - first
    if edges:
        part[(first < 0) | (first >= source - 1)] = 0
    far = (part * _WHOLE).round().int()
    at = first.long()
    taps = (at.clamp(0, source - 1), (at + 1).clamp(0, source - 1), _WHOLE - far, far)
    return tuple(each.to(device) for each in taps)  # type: ignore[return-value] # four of them
