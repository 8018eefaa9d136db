"""From a probability map to straight crops, on maps and pictures drawn here."""

import cv2
import numpy as np
import pytest

from gatepost_server.stages.ocr_detect.bent import Band, find_band
from gatepost_server.stages.ocr_detect.crops import WIDEST, bent_crop, quad_crop, with_full_contrast
from gatepost_server.stages.ocr_detect.ink import follow_ink
from gatepost_server.stages.ocr_detect.regions import Thresholds, find_regions

ARC = np.array(
    [[200 - 150 * np.cos(a), 220 - 150 * np.sin(a)] for a in np.linspace(0.2, np.pi - 0.2, 60)], dtype=np.float32
)


def map_with(*rectangles, shape=(200, 300), value=0.9):
    """A map in which rotated rectangles (centre, size, degrees) are text."""
    probability = np.zeros(shape, dtype=np.float32)
    for rectangle in rectangles:
        cv2.fillPoly(probability, [cv2.boxPoints(rectangle).astype(np.int32)], value)
    return probability


def arc_map(thickness=24):
    probability = np.zeros((300, 400), dtype=np.float32)
    cv2.polylines(probability, [ARC.round().astype(np.int32)], False, 0.9, thickness)
    return probability


def regions_of(probability, scale=(1.0, 1.0)):
    return find_regions(probability, scale, Thresholds())


def test_an_empty_map_has_no_regions():
    assert regions_of(np.zeros((64, 64), dtype=np.float32)) == []


def test_doubtful_patches_do_not_push_out_a_small_line():
    probability = map_with(((1000, 10), (60, 8), 0), shape=(1024, 1024))
    for y in range(30, 1020, 28):
        for x in range(10, 1010, 28):
            probability[y : y + 24, x : x + 24] = 0.3  # above the pixels' threshold, below the regions'
    assert len(regions_of(probability)) == 1


def test_a_region_grows_by_the_margin_that_training_took_away():
    (region,) = regions_of(map_with(((150, 100), (100, 20), 0)))
    margin = 100 * 20 * 1.4 / (2 * 120)
    assert region.quad[0] == pytest.approx([100 - margin, 90 - margin], abs=1.5)
    assert region.quad[2] == pytest.approx([200 + margin, 110 + margin], abs=1.5)


def test_regions_are_in_pixels_of_the_image():
    (region,) = regions_of(map_with(((150, 100), (100, 20), 0)), scale=(2.0, 4.0))
    assert region.quad.mean(axis=0) == pytest.approx([300, 400], abs=4)


@pytest.mark.parametrize("degrees", [-40, 0, 40])
def test_corners_start_at_the_texts_top_left(degrees):
    (region,) = regions_of(map_with(((150, 100), (120, 20), degrees)))
    along = region.quad[1] - region.quad[0]
    assert np.degrees(np.arctan2(along[1], along[0])) == pytest.approx(degrees, abs=3)


def test_unsure_and_tiny_regions_are_left_out():
    unsure = map_with(((150, 100), (100, 20), 0), value=0.4)
    speck = map_with(((150, 100), (2, 1), 0))
    assert regions_of(unsure) == regions_of(speck) == []


def test_bent_text_is_scored_by_its_own_contour():
    (region,) = regions_of(arc_map())
    assert region.score == pytest.approx(0.9, abs=0.02)
    assert region.fill < 0.5


def test_a_column_is_turned_so_that_down_becomes_right():
    picture = np.zeros((200, 100, 3), dtype=np.uint8)
    picture[:100] = 250  # the upper half is light
    crop = quad_crop(picture, np.array([[30, 20], [60, 20], [60, 180], [30, 180]], dtype=np.float32))
    assert crop.shape[0] == 48
    assert crop.shape[1] == pytest.approx(48 * 160 / 30, abs=2)
    assert crop[:, :60].mean() > 200 > 50 > crop[:, -60:].mean()


def test_very_long_lines_are_narrowed_to_the_limit():
    picture = np.zeros((32, 4000, 3), dtype=np.uint8)
    quad = np.array([[0, 0], [4000, 0], [4000, 10], [0, 10]], dtype=np.float32)
    assert quad_crop(picture, quad).shape == (48, WIDEST, 3)


def test_the_middle_of_an_arc_follows_it():
    (region,) = regions_of(arc_map())
    band = find_band(region)
    distance = np.linalg.norm(band.middle - [200, 220], axis=1)
    assert np.abs(distance[1:-1] - 150).max() < 5
    assert band.middle[0][0] < band.middle[-1][0]


def test_a_blob_has_no_middle():
    (region,) = regions_of(map_with(((150, 100), (60, 60), 0)))
    assert find_band(region) is None


def test_unrolling_an_arc_gives_a_straight_line():
    picture = np.full((300, 400, 3), 255, dtype=np.uint8)
    cv2.polylines(picture, [ARC.round().astype(np.int32)], False, (0, 0, 0), 5)
    crop = bent_crop(picture, ARC, 20.0)
    dark = crop[:, 10:-10].mean(axis=2).argmin(axis=0)
    assert np.abs(dark - 24).max() <= 5


def test_a_middle_beside_the_letters_is_moved_onto_them():
    picture = np.full((200, 400, 3), 255, dtype=np.uint8)
    for x in range(60, 340, 12):
        cv2.line(picture, (x, 85), (x, 115), (0, 0, 0), 3)
    flat = np.stack([np.linspace(50, 350, 40), np.full(40, 88.0)], axis=1).astype(np.float32)
    moved = follow_ink(picture, Band(flat, 20.0))
    assert np.abs(moved.middle[:, 1] - 100).max() < 4


def test_a_flat_crop_survives_having_its_contrast_spread():
    assert with_full_contrast(np.full((48, 20, 3), 77, dtype=np.uint8)).shape == (48, 20, 3)
