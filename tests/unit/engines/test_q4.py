"""Four-bit blocks."""

import numpy as np

from gatepost_server.engines import q4


def test_a_block_gives_back_its_weights():
    scale = np.array([0.5], dtype=np.float16).view(np.uint8)
    low, high = np.arange(16, dtype=np.uint8), np.arange(15, -1, -1, dtype=np.uint8)
    block = np.concatenate([scale, low | (high << 4)])[np.newaxis]
    expected = np.concatenate([low.astype(float) - 8, high.astype(float) - 8]) * 0.5
    np.testing.assert_array_equal(q4.expand(block)[0], expected)


def test_blocks_of_a_row_stay_in_order():
    ones, twos = (np.array([value], dtype=np.float16).view(np.uint8) for value in (1.0, 2.0))
    nines = np.full(16, 0x99, dtype=np.uint8)  # 9 - 8 = 1 everywhere
    rows = np.stack([np.concatenate([ones, nines, twos, nines]), np.concatenate([twos, nines, ones, nines])])
    weights = q4.expand(rows)
    assert weights.shape == (2, 64)
    assert weights[0].tolist() == [1.0] * 32 + [2.0] * 32
    assert weights[1].tolist() == [2.0] * 32 + [1.0] * 32
