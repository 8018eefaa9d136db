"""The text stage on grids: what adjacent columns say counts though they were detected as rows; stray readings do not."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from gatepost_server.domain.labels import CATEGORIES
from gatepost_server.stages.base import Arrays, StageResult, text_array
from gatepost_server.stages.text_toxicity import TextToxicity

DIRECTORY = Path(__file__).parents[3] / "model_repository/text_toxicity/1"
GREETINGS = [
    "新年快乐",
    "万事如意",
    "恭喜发财",
    "身体健康",
    "阖家欢乐",
    "步步高升",
    "财源滚滚",
    "心想事成",
    "岁岁平安",
    "一帆风顺",
    "马到成功",
    "前程似锦",
    "福如东海",
    "寿比南山",
    "百年好合",
    "花开富贵",
    "五福临门",
    "吉祥如意",
    "龙马精神",
    "笑口常开",
]


@pytest.fixture(scope="module")
def stage() -> TextToxicity:
    return TextToxicity({"directory": str(DIRECTORY)})


def as_rows(*columns: str) -> list[str]:
    """What a detector reads where `columns`, the first on the right, stand close together."""
    height = max(map(len, columns))
    return ["".join(text[y] for text in reversed(columns) if y < len(text)) for y in range(height)]


def judged(
    stage: TextToxicity,
    rows: Sequence[str],
    *,
    expected: Sequence[str] = (),
    confidences: Sequence[float] | None = None,
) -> Arrays:
    """Rows of square characters below one another, their right ends aligned."""
    corners = [
        corner
        for y, row in enumerate(rows)
        for corner in (
            (0.9 - 0.1 * len(row), 0.1 * y),
            (0.9, 0.1 * y),
            (0.9, 0.1 * y + 0.1),
            (0.9 - 0.1 * len(row), 0.1 * y + 0.1),
        )
    ]
    [result] = stage.run(
        [
            {
                "TEXTS": text_array(rows),
                "TEXT_CONFIDENCES": np.asarray(confidences or [0.98] * len(rows), np.float32),
                "POLYGON_POINTS": np.asarray(corners, np.float32).reshape(-1, 2),
                "POLYGON_SIZES": np.full(len(rows), 4, np.int32),
                "LINE_VIEWS": np.zeros(len(rows), np.int32),
                "EXPECTED": text_array(expected),
            }
        ]
    )
    assert isinstance(result, StageResult)
    return result.arrays


def worst(arrays: Arrays) -> float:
    return float(max(arrays["JOINED_SCORES"].max(), arrays["LINE_SCORES"].max(initial=0.0)))


@pytest.mark.parametrize(
    "columns",
    [
        ("祝你早", "日升天"),
        ("祝你早日", "升天"),
        ("你妈死", "了去死", "吧傻逼"),
        ("你是一个", "大傻逼呀", "滚出中国", "全家死光"),
        ("你就是个", "傻逼废物", "赶紧去死"),
        ("祝你全家不", "得好死王八"),
        ("新年快乐", "傻逼去死"),
    ],
)
def test_an_insult_in_adjacent_columns_is_found_in_either_direction(stage: TextToxicity, columns: list[str]) -> None:
    assert worst(judged(stage, as_rows(*columns))) >= 0.6
    assert worst(judged(stage, [row[::-1] for row in as_rows(*columns)])) >= 0.6


def test_an_insult_down_the_first_characters_of_a_poem_is_found(stage: TextToxicity) -> None:
    poem = ["王师北定中原日", "八月秋高风怒号", "蛋黄月饼圆又圆"]
    assert judged(stage, poem)["JOINED_SCORES"][CATEGORIES.index("insult")] >= 0.9


def test_greetings_of_equal_length_say_nothing_across(stage: TextToxicity) -> None:
    rng = random.Random(1)
    cards = [rng.sample(GREETINGS, 2 + n % 3) for n in range(150)]
    assert [card for card in cards if worst(judged(stage, card)) >= 0.5] == []


@pytest.mark.parametrize("asked", ["新年快乐,万事如意", "新年快乐 万事如意 身体健康"])
def test_a_greeting_asked_for_and_written_in_columns_is_expected(stage: TextToxicity, asked: str) -> None:
    rows = as_rows("新年快乐", "万事如意")
    assert judged(stage, rows, expected=[asked])["LINE_EXPECTED"].tolist() == [1.0] * 4
    assert judged(stage, rows, expected=["恭喜发财"])["LINE_EXPECTED"].max() < 0.35


def test_a_poem_asked_for_and_written_in_columns_is_expected(stage: TextToxicity) -> None:
    rows = as_rows("床前明月光", "疑是地上霜", "举头望明月", "低头思故乡")
    arrays = judged(stage, rows, expected=["床前明月光,疑是地上霜。举头望明月,低头思故乡。"])
    assert arrays["LINE_EXPECTED"].tolist() == [1.0] * 5


def test_one_column_that_nobody_asked_for_keeps_the_lines_unexpected(stage: TextToxicity) -> None:
    rows = as_rows("新年快乐", "傻逼去死")
    assert judged(stage, rows, expected=["新年快乐"])["LINE_EXPECTED"].max() < 0.75


def test_the_joined_text_tells_the_columns_where_they_read_better(stage: TextToxicity) -> None:
    [joined] = judged(stage, as_rows("新年快乐", "万事如意"))["JOINED_TEXT"]
    assert joined.decode().split("\n") == ["万新事年如快意乐", "新年快乐万事如意"]
    [joined] = judged(stage, ["新年快乐", "万事如意"])["JOINED_TEXT"]
    assert joined.decode() == "新年快乐万事如意"


def test_a_stray_reading_neither_scores_nor_joins_but_stays(stage: TextToxicity) -> None:
    arrays = judged(stage, ["傻逼去死", "新年快乐"], confidences=[0.29, 0.98])
    assert arrays["NORMALIZED_TEXTS"][0].decode() == "傻逼去死"
    assert not arrays["LINE_SCORES"][0].any()
    assert arrays["LINE_MATCHES"][0] == b""
    assert arrays["JOINED_TEXT"][0].decode() == "新年快乐"
    assert arrays["JOINED_SCORES"].max() < 0.5


def test_stray_readings_do_not_part_the_lines_around_them(stage: TextToxicity) -> None:
    assert judged(stage, ["傻", "云", "逼"], confidences=[0.98, 0.2, 0.98])["JOINED_SCORES"].max() >= 0.8


def test_only_stray_readings_are_no_text_at_all(stage: TextToxicity) -> None:
    arrays = judged(stage, ["傻逼", "去死"], confidences=[0.1, float("nan")])
    assert worst(arrays) == 0.0
    assert arrays["JOINED_TEXT"].tolist() == [b""]
