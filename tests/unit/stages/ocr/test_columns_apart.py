"""Columns side by side and rows one below the other, told apart by the steps of their strokes."""

import cv2
import numpy as np
import pytest

from gatepost_server.stages.ocr_detect.columns import doubtful_blocks, is_column, steps_down
from gatepost_server.stages.ocr_detect.passes import Detector
from gatepost_server.stages.ocr_detect.regions import Thresholds, find_regions
from gatepost_server.stages.ocr_detect.rounds import together

LETTER = 40


def grid(across, down, columns=4, rows=5):
    """Signs of five random strokes each, their middles `across` and `down` letters apart, dark on light."""
    dice = np.random.default_rng(3)
    image = np.full((int(rows * down * LETTER) + 160, int(columns * across * LETTER) + 160, 3), 230, np.uint8)
    for row in range(rows):
        for column in range(columns):
            corner = np.array([80 + column * across * LETTER, 80 + row * down * LETTER])
            for start, end in dice.uniform(0, LETTER, (5, 2, 2)):
                ends = (tuple(int(value) for value in corner + point) for point in (start, end))
                cv2.line(image, *ends, (20, 20, 20), 4)
    return image


def regions(shape, *boxes):
    """Regions of which a map with these boxes (x, y, width, height) tells."""
    probability = np.zeros(shape[:2], np.float32)
    for x, y, w, h in boxes:
        probability[y : y + h, x : x + w] = 1.0
    return find_regions(probability, (1.0, 1.0), Thresholds())


def rows_of(image, down, rows=5):
    """The grid's rows, as the detector shrinks them."""
    width = image.shape[1]
    return regions(image.shape, *((90, 91 + int(row * down * LETTER), width - 200, 18) for row in range(rows)))


@pytest.mark.parametrize(("across", "down", "told"), [(1.5, 1.1, True), (1.3, 1.15, True), (1.1, 1.5, False)])
def test_lines_run_the_way_of_the_shorter_step(across, down, told):
    assert steps_down(grid(across, down), LETTER, LETTER) is told


def test_too_low_a_guess_of_the_letters_height_changes_nothing():
    assert steps_down(grid(1.5, 1.1), LETTER / 2, LETTER)
    assert not steps_down(grid(1.1, 1.5), LETTER / 2, LETTER)


def test_equal_steps_say_nothing_so_that_rows_stay_rows():
    assert not steps_down(grid(1.3, 1.3), LETTER, LETTER)


def test_a_plain_ground_has_no_steps():
    assert not steps_down(np.full((200, 200, 3), 90, np.uint8), LETTER, LETTER)


def test_rows_across_columns_are_doubtful_and_true_rows_are_not():
    columns, rows = grid(1.6, 1.1), grid(1.1, 1.6)
    assert len(doubtful_blocks(columns, rows_of(columns, 1.1))) == 1
    assert doubtful_blocks(rows, rows_of(rows, 1.6)) == []


def test_columns_that_were_found_are_not_looked_at_again():
    image = grid(1.6, 1.1)
    height = image.shape[0]
    found = regions(image.shape, *((91 + int(k * 1.6 * LETTER), 90, 18, height - 180) for k in range(4)))
    assert all(is_column(region) for region in found)
    assert doubtful_blocks(image, found) == []


class ColumnsWhenSqueezed:
    """Sees `boxes` (x, y, width, height) in the whole picture and four columns in any other."""

    batch = 1

    def __init__(self, boxes):
        self._boxes = boxes
        self.looks = 0

    def run(self, images, size=None):
        self.looks += 1
        height, width = size or images.shape[1:3]
        probability = np.zeros((1, 1, height, width), np.float32)
        columns = [(int(width * (k + 0.5) / 4) - 9, 20, 18, height - 50) for k in range(4)]
        for x, y, w, h in self._boxes if self.looks == 1 else columns:
            probability[0, 0, y : y + h, x : x + w] = 1.0
        return [probability]


@pytest.mark.parametrize(("across", "down", "looks", "columns"), [(1.6, 1.1, 2, 4), (1.1, 1.6, 1, 0)])
def test_columns_are_taken_apart_by_a_second_look_and_rows_cost_none(across, down, looks, columns):
    image = cv2.copyMakeBorder(grid(across, down), 0, 64, 0, 64, cv2.BORDER_REPLICATE)[:384, :384]
    rows = [(90, 91 + int(row * down * LETTER), int(3 * across * LETTER), 18) for row in range(5)]
    net = ColumnsWhenSqueezed(rows)
    detector = Detector(side=1024, contrast_side=0, thresholds=Thresholds())
    (found,) = together(net, [detector.find(image)])
    assert net.looks == looks
    assert sum(is_column(entry.region) for entry in found) == columns
    assert len(found) == (columns or 5)
