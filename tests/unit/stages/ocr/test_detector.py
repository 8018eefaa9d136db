"""Where the detector looks, with a net that sees bright pixels."""

import itertools

import numpy as np
import pytest

from gatepost_server.domain.errors import ErrorReason, GatepostError
from gatepost_server.engines.net import sized
from gatepost_server.stages.ocr_detect import OcrDetect
from gatepost_server.stages.ocr_detect import stage as module
from gatepost_server.stages.ocr_detect.passes import MULTIPLE, Detector, fitting_scale, tile_spans
from gatepost_server.stages.ocr_detect.regions import Thresholds
from gatepost_server.stages.ocr_detect.rounds import together


class BrightNet:
    """Says that every pixel above 200 is text; notes the shapes that it saw."""

    batch = 1

    def __init__(self):
        self.seen = []

    def run(self, images, size=None):
        images = sized(images, size)
        self.seen.append(images.shape[1:3])
        return [(images.min(axis=-1, keepdims=False)[:, None] > 200).astype(np.float32)]


def find(net, image, side=256, contrast_side=0, first_side=0):
    detector = Detector(side=side, contrast_side=contrast_side, thresholds=Thresholds(), first_side=first_side)
    (found,) = together(net, [detector.find(image)])
    return found


def picture(height, width, *boxes, value=255):
    """A dark picture with light bars (x, y, width, height)."""
    image = np.zeros((height, width, 3), dtype=np.uint8)
    for x, y, w, h in boxes:
        image[y : y + h, x : x + w] = value
    return image


@pytest.mark.parametrize("length", [32, 256, 384, 416, 1000 // 32 * 32, 2048])
def test_tiles_cover_everything_and_overlap(length):
    spans = tile_spans(length, 256)
    assert spans[0].start == 0
    assert spans[-1].stop == length
    assert all(later.start <= earlier.stop - 64 for earlier, later in itertools.pairwise(spans))
    assert all(bound % MULTIPLE == 0 for span in spans for bound in (span.start, span.stop))


def test_a_small_picture_is_looked_at_once():
    net = BrightNet()
    found = find(net, picture(200, 256, (40, 60, 120, 20)))
    assert len(found) == 1
    assert net.seen == [(192, 256)]


def test_small_text_of_a_large_picture_is_found_in_the_tiles():
    net = BrightNet()
    found = find(net, picture(1024, 1024, (700, 600, 80, 5)))
    assert len(found) == 1
    assert found[0].region.quad.mean(axis=0) == pytest.approx([740, 602], abs=3)
    assert len(net.seen) > 4


def test_text_on_the_border_of_two_tiles_stays_one_line():
    net = BrightNet()
    found = find(net, picture(128, 1024, (100, 60, 800, 12)))
    assert len(found) == 1


def test_large_text_is_found_once_although_every_tile_sees_a_part():
    found = find(BrightNet(), picture(1024, 1024, (100, 300, 800, 120)))
    assert len(found) == 1


def test_faint_text_is_found_by_its_contrast():
    ground = np.full((256, 256, 3), 140, dtype=np.uint8)
    ground[100:120, 40:200] = 190
    plain = find(BrightNet(), ground)
    looking_closer = find(BrightNet(), ground, contrast_side=256)
    assert plain == []
    assert [found.faint for found in looking_closer] == [True]


def test_what_the_first_pass_found_is_not_found_again():
    found = find(BrightNet(), picture(256, 256, (40, 100, 160, 20)), contrast_side=128)
    assert [entry.faint for entry in found] == [False]


def looks_at(image, **sides):
    """Heights of what the net saw."""
    net = BrightNet()
    found = find(net, image, side=512, first_side=320, **sides)
    return found, [height for height, _ in net.seen]


def test_large_straight_text_needs_the_small_look_alone():
    found, looks = looks_at(picture(512, 512, (60, 100, 400, 60)))
    assert len(found) == 1
    assert looks == [320]


@pytest.mark.parametrize(
    "boxes",
    [[], [(60, 100, 400, 10)], [(60, 100, 400, 60), (300, 300, 40, 8)], [(60, 100, 400, 40), (60, 140, 40, 300)]],
    ids=["nothing", "small", "large and small", "bent"],
)
def test_a_closer_look_follows_where_the_small_one_may_not_do(boxes):
    _, looks = looks_at(picture(512, 512, *boxes))
    assert looks == [320, 512]


def test_a_trace_of_small_text_beside_large_text_is_looked_at_closely():
    class UnsureNet(BrightNet):
        def run(self, images, size=None):
            images = sized(images, size)
            self.seen.append(images.shape[1:3])
            return [images[..., 0][:, None].astype(np.float32) / 255]

    net = UnsureNet()
    image = picture(512, 512, (60, 100, 400, 60)) + picture(512, 512, (300, 300, 60, 9), value=45)
    find(net, image, side=512, first_side=320)
    assert [height for height, _ in net.seen] == [320, 512]


def test_what_only_the_small_look_saw_is_kept():
    class SmallNet(BrightNet):
        def run(self, images, size=None):
            (maps,) = super().run(images, size)
            return [maps if maps.shape[2] == 320 else np.zeros_like(maps)]

    found = find(SmallNet(), picture(512, 512, (60, 100, 400, 10)), side=512, first_side=320)
    assert len(found) == 1


def test_a_picture_not_much_larger_than_the_first_look_is_looked_at_once():
    _, looks = looks_at(picture(352, 352, (60, 100, 200, 60)))
    assert looks == [352]


def test_a_picture_of_one_colour_is_no_faint_text():
    class DarkNet(BrightNet):
        def run(self, images, size=None):
            images = sized(images, size)
            self.seen.append(images.shape[1:3])
            return [np.full((1, 1, *images.shape[1:3]), float(0 < images.max() < 20), dtype=np.float32)]

    net = DarkNet()
    assert find(net, np.zeros((256, 256, 3), dtype=np.uint8), contrast_side=128) == []
    assert net.seen == [(256, 256)]


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (32, 2048)])
def test_odd_shapes_are_looked_at(shape):
    assert find(BrightNet(), np.zeros((*shape, 3), dtype=np.uint8), contrast_side=128) == []


def test_the_scale_bounds_pixels_not_sides():
    assert fitting_scale(picture(512, 128), 256) == 1.0
    assert fitting_scale(picture(512, 512), 256) == 0.5


def test_a_map_without_numbers_is_an_error_and_not_a_picture_without_text(monkeypatch):
    class BrokenNet(BrightNet):
        def run(self, images, size=None):
            (maps,) = super().run(images, size)
            return [np.where(images.max() > 200, maps, np.nan)]

    monkeypatch.setattr(module, "open_net", lambda *_, **__: BrokenNet())
    dark, light = picture(64, 256), picture(64, 256, (40, 20, 120, 20))
    broken, whole = OcrDetect({}).run([{"OCR_PIXELS": dark[None]}, {"OCR_PIXELS": light[None]}])
    assert isinstance(broken, GatepostError)
    assert broken.reason is ErrorReason.MODEL_OUTPUT_INVALID
    assert whole.looked_at["lines"] == 1
