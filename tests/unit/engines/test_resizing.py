"""Pictures are scaled on the device to the very bytes that OpenCV makes."""

import numpy as np
import pytest
import torch

from gatepost_server.engines.net import sized
from gatepost_server.engines.resizing import sized_there


@pytest.mark.parametrize(
    ("height", "width", "size"),
    [
        (1024, 1024, (640, 640)),
        (1024, 768, (736, 544)),
        (513, 777, (512, 768)),
        (300, 200, (512, 384)),
        (33, 40, (64, 96)),
        (96, 160, (96, 160)),
        (40, 1, (64, 32)),
    ],
)
def test_every_byte_is_opencvs(height, width, size):
    images = np.random.default_rng(4).integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    there = sized_there(torch.from_numpy(images), size)
    assert there.dtype == torch.uint8
    assert np.array_equal(there.numpy(), sized(images, size))


def test_without_a_size_the_pixels_stay_where_they_are():
    pixels = torch.zeros(1, 8, 8, 3, dtype=torch.uint8)
    assert sized_there(pixels, None) is pixels
