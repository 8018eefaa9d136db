"""Ornaments read as letters are told from text."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from gatepost_server.stages.ocr_recognize.ornaments import FEATURES, Ornaments, features, is_doubtful

FONT = Path(__file__).parents[3] / "clients" / "python" / "gatepost_client" / "fonts" / "gatepost-sans-sc.otf"


@pytest.fixture(scope="module")
def ornaments():
    return Ornaments.load()


def written(text: str) -> np.ndarray:
    font = ImageFont.truetype(str(FONT), 40)
    image = Image.new("RGB", (int(font.getlength(text)) + 12, 48), (250, 240, 225))
    ImageDraw.Draw(image).text((6, 0), text, font=font, fill=(60, 10, 20))
    return np.asarray(image)


def pictogram(seed: int) -> np.ndarray:
    """A disc of several colours, as emoji are."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (48, 48), (250, 240, 225))
    pen = ImageDraw.Draw(image)
    for inset in (4, 10, 16, 20):
        pen.ellipse((inset, inset, 48 - inset, 48 - inset), fill=tuple(int(c) for c in rng.integers(0, 255, 3)))
    return np.asarray(image)


@pytest.mark.parametrize("seed", range(8))
def test_a_coloured_disc_read_as_a_ring_is_an_ornament(ornaments, seed):
    assert ornaments.is_one("O", 0.35, pictogram(seed))


@pytest.mark.parametrize("text", ["福", "囍", "你好", "傻逼", "Hi"])
def test_a_short_text_read_well_is_text(ornaments, text):
    assert not ornaments.is_one(text, 0.95, written(text))


def test_what_reads_long_and_clearly_is_never_asked_about(ornaments):
    assert not is_doubtful("新年快乐", 0.8)
    assert not ornaments.is_one("新年快乐", 0.8, pictogram(0))


def test_a_broken_confidence_stays_what_it_is(ornaments):
    assert not ornaments.is_one("O", float("nan"), pictogram(0))


def test_features_are_finite_for_the_smallest_and_plainest_crops():
    for crop in (np.zeros((48, 4, 3), np.uint8), np.full((48, 900, 3), 255, np.uint8)):
        found = features("", 0.0, crop)
        assert found.shape == (len(FEATURES),)
        assert np.isfinite(found).all()


def test_weights_of_other_features_are_refused(tmp_path):
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"weights": {"height": 1.0}, "bias": 0.0, "least": 0.0}))
    with pytest.raises(ValueError, match="other features"):
        Ornaments.load(other)
