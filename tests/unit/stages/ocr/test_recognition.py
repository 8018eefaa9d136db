"""Reading: decoding, batching, and choosing the best of several crops, with a net of known answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost_server.domain.errors import ErrorReason, GatepostError
from gatepost_server.stages.ocr_recognize import stage as module
from gatepost_server.stages.ocr_recognize.batches import plan, stack
from gatepost_server.stages.ocr_recognize.ctc import decode
from gatepost_server.stages.ocr_recognize.stage import OcrRecognize

ALPHABET = ["福", "倒", " "]


class ColourNet:
    """Reads each 8 columns: red is the first letter and green the second, as sure as they are bright.

    The upper left quarter tells which way up a crop is: what is blue there stands on its head, and nothing in it
    is sure.
    """

    batch = 2

    def run(self, images):
        blue, green, red = (images[:, :24, ::8, channel].mean(axis=1) for channel in range(3))
        classes = np.select([red > 128, green > 128], [1, 2], 0).astype(np.int32)
        sure = np.where(classes, np.maximum(red, green) / 255, 1.0)
        return classes, np.where(blue > 128, 0.2, sure).astype(np.float32)


@pytest.fixture
def recognizer(monkeypatch):
    monkeypatch.setattr(module, "open_net", lambda *_, **__: ColourNet())
    stage = OcrRecognize({})
    stage._alphabet = ALPHABET
    return stage


def crop(*letters, upside_down=False):
    """A crop with a letter, (name, brightness), each 8 columns and a gap between them."""
    image = np.zeros((48, 16 * len(letters), 3), dtype=np.uint8)
    for index, (name, brightness) in enumerate(letters):
        image[:, 16 * index : 16 * index + 8, {"福": 0, "倒": 1}[name]] = brightness
    image[24:, :, 2] = 255  # blue feet
    return image[::-1, ::-1] if upside_down else image


def request(*crops_with_lines):
    crops = [image for image, _ in crops_with_lines]
    strip = np.concatenate(crops, axis=1) if crops else np.zeros((48, 0, 3), dtype=np.uint8)
    return {
        "CROPS": strip,
        "CROP_WIDTHS": np.array([image.shape[1] for image in crops], dtype=np.int32),
        "CROP_LINES": np.array([line for _, line in crops_with_lines], dtype=np.int32),
    }


def texts(result):
    return [text.decode() for text in result.arrays["TEXTS"]]


def test_runs_of_a_class_are_one_character_and_blanks_part_them():
    reading = decode(np.array([1, 1, 0, 1, 2, 0]), np.array([0.9, 0.5, 1, 0.7, 0.8, 1], dtype=np.float32), ALPHABET)
    assert reading.text == "福福倒"
    assert reading.confidence == pytest.approx((0.9 + 0.7 + 0.8) / 3)


def test_spaces_alone_are_no_text():
    assert decode(np.array([3, 0, 3]), np.ones(3, dtype=np.float32), ALPHABET).text == ""


def test_ten_nearly_sure_characters_outweigh_three_sure_ones():
    many = decode(np.array([1, 2] * 5), np.full(10, 0.9, dtype=np.float32), ALPHABET)
    few = decode(np.array([1, 2, 1]), np.ones(3, dtype=np.float32), ALPHABET)
    assert many.evidence > few.evidence


@given(st.lists(st.integers(4, 3200), max_size=60), st.integers(1, 16))
def test_every_crop_is_in_one_batch_that_is_wide_enough(widths, size):
    batches = list(plan(widths, size))
    assert sorted(index for indices, _ in batches for index in indices) == list(range(len(widths)))
    for indices, width in batches:
        assert len(indices) <= size
        assert width >= max(widths[index] for index in indices)


def test_crops_are_padded_at_the_right():
    batch = stack([np.zeros((48, 8, 3), np.uint8), np.zeros((48, 16, 3), np.uint8)], 32)
    assert batch.shape == (2, 48, 32, 3)
    assert batch[0, :, 8:].min() == batch[0, :, 8:].max() == 127


def test_the_best_of_a_lines_crops_is_kept(recognizer):
    item = request((crop(("福", 140)), 0), (crop(("倒", 250)), 0), (crop(("福", 250)), 1))
    (result,) = recognizer.run([item])
    assert texts(result) == ["倒", "福"]
    assert result.arrays["TEXT_CONFIDENCES"] == pytest.approx([250 / 255] * 2, abs=0.01)


def test_what_stands_on_its_head_is_read_once_more(recognizer):
    (result,) = recognizer.run([request((crop(("福", 250), ("倒", 250), upside_down=True), 0))])
    assert texts(result) == ["福倒"]


def test_an_image_without_text_gives_no_lines(recognizer):
    (result,) = recognizer.run([request()])
    assert texts(result) == []
    assert result.arrays["TEXT_CONFIDENCES"].shape == (0,)


def test_a_line_that_cannot_be_read_is_empty(recognizer):
    (result,) = recognizer.run([request((np.zeros((48, 16, 3), np.uint8), 0))])
    assert texts(result) == [""]
    assert result.arrays["TEXT_CONFIDENCES"].tolist() == [0.0]


@pytest.mark.parametrize(
    "broken",
    [
        {"CROP_WIDTHS": np.array([99], dtype=np.int32)},
        {"CROP_WIDTHS": np.array([], dtype=np.int32)},
        {"CROP_LINES": np.array([3], dtype=np.int32)},
        {"CROP_LINES": np.array([-1], dtype=np.int32)},
    ],
)
def test_one_broken_request_does_not_sink_its_neighbours(recognizer, broken):
    good = request((crop(("福", 250)), 0))
    first, second, third = recognizer.run([good, {**good, **broken}, good])
    assert texts(first) == texts(third) == ["福"]
    assert isinstance(second, GatepostError)
    assert second.reason == ErrorReason.MODEL_OUTPUT_INVALID


def test_a_sure_reading_that_is_far_too_short_is_doubted(recognizer):
    upright = crop(*[("福", 250)] * 6, ("倒", 250))
    upright[24:, :, 2] = 0  # no blue feet: whichever way up it is, the net is sure of what it sees
    upside_down = upright.copy()[::-1, ::-1].copy()
    upside_down[:24, 16:] = 0  # and upside down it sees hardly anything
    upside_down[24:] = upright[::-1, ::-1][24:]
    (result,) = recognizer.run([request((upside_down, 0))])
    assert texts(result) == ["福福福福福福倒"]


def test_a_line_for_which_the_net_gave_no_numbers_is_no_empty_line(recognizer):
    class BrokenNet(ColourNet):
        def run(self, images):
            classes, sure = super().run(images)
            bad = images[:, 24:, :, 0].min(axis=(1, 2)) > 200  # the white one
            return np.where(bad[:, None], 0, classes), np.where(bad[:, None], np.nan, sure).astype(np.float32)

    recognizer._net = BrokenNet()
    white = np.full((48, 64, 3), 255, dtype=np.uint8)
    broken, whole = recognizer.run([request((white, 0)), request((crop(("福", 255)), 0))])
    assert np.isnan(broken.arrays["TEXT_CONFIDENCES"][0])  # which the contract refuses
    assert texts(whole) == ["福"]


def test_a_wide_line_that_cannot_be_read_at_all_is_told_as_not_looked_at(recognizer):
    blank = [("福", 0)] * 12
    (result,) = recognizer.run([request((crop(*blank), 0), (crop(("福", 250)), 1))])
    assert result.looked_at["unread"] == 1
    assert [(skipped.what, skipped.why) for skipped in result.skipped] == [("1 of 2 lines", "could not be read")]


def test_a_narrow_one_is_an_ornament_and_only_counted(recognizer):
    (result,) = recognizer.run([request((crop(("福", 0)), 0), (crop(("福", 250)), 1))])
    assert (result.looked_at["unread"], result.skipped) == (1, ())
