"""Letters that stand on one another are found as a column and laid out as a row; rows and patterns of dots are not."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gatepost_server.stages.ocr_detect.loose import letter_columns
from gatepost_server.stages.ocr_detect.passes import Found
from gatepost_server.stages.ocr_detect.regions import Region
from gatepost_server.stages.ocr_detect.upright import cells_of, covered, laid_out, stacked
from gatepost_server.tensors.contract import CROP_HEIGHT

PITCH = 40


def page() -> NDArray[np.uint8]:
    return np.full((600, 400, 3), 245, np.uint8)


def write_down(image: NDArray[np.uint8], word: str, x: int, top: int) -> None:
    for row, letter in enumerate(word):
        (width, _), _ = cv2.getTextSize(letter, cv2.FONT_HERSHEY_SIMPLEX, 0.9, 2)
        cv2.putText(
            image, letter, (x - width // 2, top + row * PITCH), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (20, 20, 60), 2,
            cv2.LINE_AA,
        )  # fmt: skip


def box(left: float, top: float, right: float, bottom: float) -> Found:
    quad = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)
    return Found(Region(quad, quad, 0.9, 1.0, 1.4))


def test_a_column_of_letters_is_found_where_it_stands() -> None:
    image = page()
    write_down(image, "STUPIDLY", 200, 100)
    (column,) = letter_columns(image)
    low, high = column.min(axis=0), column.max(axis=0)
    assert 170 < low[0] < 200 < high[0] < 230
    assert low[1] < 85
    assert high[1] > 100 + 6 * PITCH


def test_rows_and_patterns_are_no_columns() -> None:
    rows = page()
    for y in (100, 220, 340):
        cv2.putText(rows, "With love", (90, y), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (20, 20, 60), 2, cv2.LINE_AA)
    assert letter_columns(rows) == []
    dots = page()
    for y in range(20, 600, 40):
        for x in range(20, 400, 40):
            cv2.circle(dots, (x, y), 8, (60, 60, 60), -1, cv2.LINE_AA)
    assert letter_columns(dots) == []


def test_pieces_of_one_column_become_one_line_and_the_rest_stays() -> None:
    pieces = [box(190, 60, 212, 95), box(192, 105, 210, 215), box(190, 222, 212, 255)]
    row = box(20, 400, 380, 440)
    (column,), rest = stacked([*pieces, row])
    assert set(map(id, column.pieces)) == set(map(id, pieces))
    assert column.box == (190, 60, 212, 255)
    assert rest == [row]


@pytest.mark.parametrize(
    "found",
    [
        [box(20, 50, 380, 90), box(20, 110, 380, 150), box(20, 170, 380, 210)],  # rows
        [box(100, 50, 122, 85), box(300, 95, 322, 130), box(200, 140, 222, 175)],  # scattered
        [box(190, 60, 212, 400)],  # one tall region is a line by itself
        [box(190, 60, 212, 95), box(192, 300, 210, 335)],  # far apart
    ],
)
def test_what_is_no_column_is_left_alone(found: list[Found]) -> None:
    columns, rest = stacked(found)
    assert columns == []
    assert rest == found


def test_a_column_beside_one_that_was_seen_is_read_though_nothing_was_found_in_it() -> None:
    shapes = [box(190, 60, 214, 300).region.quad, box(240, 60, 264, 280).region.quad, box(20, 60, 44, 280).region.quad]
    columns, rest = stacked([box(192, 70, 212, 100)], shapes)
    assert [(column.box[0], len(column.pieces)) for column in columns] == [(190, 1), (240, 0)]
    assert rest == []
    assert covered(shapes[0], [box(192, 70, 212, 190)]) == pytest.approx(0.5)


def test_letters_lie_side_by_side_in_their_order() -> None:
    image = page()
    write_down(image, "IOII", 200, 100)  # the second is the only wide one
    (column,) = letter_columns(image)
    row = laid_out(image, column)
    assert row is not None
    assert row.shape[0] == CROP_HEIGHT
    ink = (row.min(axis=2) < 128).any(axis=0)
    starts = np.flatnonzero(np.diff(np.concatenate([[False], ink]).astype(int)) == 1)
    ends = np.flatnonzero(np.diff(np.concatenate([ink, [False]]).astype(int)) == -1)
    widths = ends - starts
    assert len(widths) == 4
    assert int(widths.argmax()) == 1


def test_a_profile_without_gaps_has_no_cells() -> None:
    assert cells_of(np.ones(300, np.float32), 30) is None
    assert cells_of(np.zeros(300, np.float32), 30) is None


@pytest.mark.parametrize("shape", [(1, 1), (3, 400), (400, 3), (5000, 12)])
def test_any_rectangle_can_be_laid_out_or_is_refused(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    image = rng.integers(0, 255, (*shape, 3), dtype=np.uint8)
    quad = np.array([(-5, -5), (shape[1] + 9, -5), (shape[1] + 9, shape[0] + 9), (-5, shape[0] + 9)], np.float32)
    row = laid_out(image, quad)
    assert row is None or (row.shape[0] == CROP_HEIGHT and row.dtype == np.uint8)
