"""Four-bit weight blocks, as llama.cpp's Q4_0: 32 weights of a row share one half-precision scale.

A block is 18 bytes: the scale, then 16 bytes that hold weights 0 to 15 in their low and 16 to 31 in
their high halves, each stored as value + 8.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLOCK = 32  # weights
BLOCK_BYTES = 18


def expand(blocks: NDArray[np.uint8]) -> NDArray[np.float16]:
    """Weights [rows, columns] of blocks [rows, columns / 32 * 18]."""
    rows = blocks.shape[0]
    split = blocks.reshape(rows, -1, BLOCK_BYTES)
    scale = np.ascontiguousarray(split[:, :, :2]).view(np.float16)
    packed = split[:, :, 2:]
    weights = np.concatenate([packed & 15, packed >> 4], axis=-1).astype(np.float16) - np.float16(8)
    expanded: NDArray[np.float16] = (weights * scale).reshape(rows, -1)
    return expanded
