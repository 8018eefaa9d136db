"""Cutting parts of a picture where the net lies, held against Pillow."""

import numpy as np
import pytest
import torch

from gatepost_server.engines.pictures import Cutter, weights
from gatepost_server.stages.clip.tiles import boxes, cut


@pytest.mark.parametrize(("height", "width"), [(300, 512), (512, 200), (40, 60), (1, 7)])
def test_parts_are_those_that_pillow_cuts(height, width):
    """Of middling colours: where a pass runs over black or white, Pillow's choice of the first one shows more."""
    picture = np.random.default_rng(1).integers(64, 192, (height, width, 3), dtype=np.uint8)
    parts = boxes(width, height, (0.6, 0.4))
    there = Cutter("cpu")(picture, parts, 96)
    assert there.dtype == torch.uint8
    difference = np.abs(there.numpy().astype(int) - cut(picture, parts, 96).astype(int))
    assert difference.max() <= 2  # a level for each of two roundings
    assert difference.mean() < 0.5


def test_what_float16_rounds_away_is_a_level_at_most():
    spans = ((0.0, 1.0), (0.4, 1.0))
    exact = weights(512, spans, 224)
    levels = np.random.default_rng(2).integers(0, 256, 512).astype(np.float32)
    rounded = exact.astype(np.float16).astype(np.float32)
    assert np.abs(rounded @ levels - exact @ levels).max() < 0.5


def test_every_pixel_is_a_weighted_mean():
    assert np.allclose(weights(100, ((0.0, 1.0), (0.25, 0.75)), 30).sum(axis=-1), 1.0)
