"""The detector as a stage: views, limits, and the shape of its answer, with a net that sees bright pixels."""

import numpy as np
import pytest

from gatepost_server.domain.errors import ErrorReason, GatepostError
from gatepost_server.engines.net import sized
from gatepost_server.stages.ocr_detect import stage as module
from gatepost_server.stages.ocr_detect.stage import OcrDetect
from gatepost_server.tensors.check import first_breach


class BrightNet:
    """Says that every pixel above 200 is text."""

    batch = 1

    def run(self, images, size=None):
        images = sized(images, size)
        return [(images.min(axis=-1)[:, None] > 200).astype(np.float32)]


@pytest.fixture
def make_detector(monkeypatch):
    monkeypatch.setattr(module, "open_net", lambda *_, **__: BrightNet())

    def make(**parameters):
        return OcrDetect({"contrast_side": "0", **parameters})

    return make


def view(*bars, height=256, width=256):
    """A dark view with light bars of 160 x 20 at the given y, each with a pattern of its own number of gaps."""
    image = np.zeros((height, width, 3), dtype=np.uint8)
    for y, gaps in bars:
        image[y : y + 20, 40:200] = 255
        for gap in range(gaps):
            image[y + 4 : y + 16, 60 + 20 * gap : 64 + 20 * gap] = 210
    return image


def run(detector, *views):
    (result,) = detector.run([{"OCR_PIXELS": np.stack(views)}])
    assert first_breach(OcrDetect.contract.outputs, result.arrays) is None
    return result


def test_every_line_comes_with_its_outline_and_its_crop(make_detector):
    result = run(make_detector(), view((50, 0), (150, 0)))
    arrays = result.arrays
    assert arrays["CROPS"].shape == (48, arrays["CROP_WIDTHS"].sum(), 3)
    assert arrays["CROP_LINES"].tolist() == [0, 1]
    assert arrays["POLYGON_SIZES"].tolist() == [4, 4]
    upper, lower = arrays["POLYGON_POINTS"].reshape(2, 4, 2).mean(axis=1)
    assert upper == pytest.approx([120 / 256, 60 / 256], abs=0.02)
    assert lower == pytest.approx([120 / 256, 160 / 256], abs=0.02)
    assert result.looked_at == {"views": 1, "lines": 2}


def test_crops_keep_the_order_of_colours(make_detector):
    image = view((50, 0))
    image[50:70, 40:200] = (210, 230, 250)
    crops = run(make_detector(), image).arrays["CROPS"]
    assert crops[24, crops.shape[1] // 2].tolist() == [210, 230, 250]


def test_text_that_two_frames_share_comes_once_and_belongs_to_the_first(make_detector):
    result = run(make_detector(), view((50, 3)), view((50, 3), (150, 0)))
    assert result.arrays["LINE_VIEWS"].tolist() == [0, 1]


def test_another_text_at_the_same_place_is_kept(make_detector):
    result = run(make_detector(), view((50, 1)), view((50, 5)))
    assert result.arrays["LINE_VIEWS"].tolist() == [0, 1]


def test_noise_of_compression_does_not_make_a_line_new(make_detector):
    noise = np.random.default_rng(1).integers(0, 4, (256, 256, 3), dtype=np.uint8)
    result = run(make_detector(), view((50, 3)), view((50, 3)) - np.minimum(view((50, 3)), noise))
    assert result.arrays["LINE_VIEWS"].tolist() == [0]


def test_more_lines_than_the_limit_are_reported_not_hidden(make_detector):
    result = run(make_detector(max_lines="2"), view((20, 0), (80, 0), (140, 0), (200, 0)))
    assert len(result.arrays["POLYGON_SIZES"]) == 2
    assert [(skip.what, skip.why) for skip in result.skipped] == [("2 lines", "more than 2 lines")]


def test_an_empty_image_has_no_lines(make_detector):
    arrays = run(make_detector(), np.zeros((64, 64, 3), dtype=np.uint8)).arrays
    assert arrays["CROPS"].shape == (48, 0, 3)
    assert len(arrays["POLYGON_POINTS"]) == len(arrays["LINE_VIEWS"]) == 0


def test_one_broken_item_does_not_sink_its_neighbours(make_detector):
    good = {"OCR_PIXELS": view((50, 0))[None]}
    first, second, third = make_detector().run([good, {"OCR_PIXELS": np.zeros((0, 4, 4, 3), np.uint8)}, good])
    assert isinstance(second, GatepostError)
    assert second.reason == ErrorReason.MODEL_OUTPUT_INVALID
    assert len(first.arrays["LINE_VIEWS"]) == len(third.arrays["LINE_VIEWS"]) == 1
