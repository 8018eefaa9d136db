from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost_server.domain.labels import CATEGORIES, Category
from gatepost_server.stages.base import Arrays, StageResult, text_array
from gatepost_server.stages.fusion import Fusion, off_script

C = len(CATEGORIES)


def vector(**scores: float) -> np.ndarray:
    return np.array([scores.get(category.value, 0.0) for category in CATEGORIES], np.float32)


def item(
    lines: list[tuple[str, np.ndarray]] | None = None,
    *,
    confidence: float = 0.99,
    expected: list[float] | None = None,
    joined: np.ndarray | None = None,
    image: np.ndarray | None = None,
) -> Arrays:
    lines = lines or []
    return {
        "NORMALIZED_TEXTS": text_array([text for text, _ in lines]),
        "TEXT_CONFIDENCES": np.full(len(lines), confidence, np.float32),
        "LINE_SCORES": np.array([scores for _, scores in lines], np.float32).reshape(-1, C),
        "LINE_EXPECTED": np.array(expected if expected is not None else [-1.0] * len(lines), np.float32),
        "JOINED_SCORES": joined if joined is not None else vector(),
        "IMAGE_SCORES": image if image is not None else vector(),
    }


def fuse(one: Arrays) -> dict[Category, tuple[float, str]]:
    (result,) = Fusion({}).run([one])
    assert isinstance(result, StageResult)
    scores, sources = result.arrays["SCORES"], result.arrays["SCORE_SOURCES"]
    return {c: (float(scores[i]), sources[i].decode()) for i, c in enumerate(CATEGORIES)}


def test_a_score_names_the_line_it_rests_on() -> None:
    fused = fuse(item([("hello", vector()), ("you idiot", vector(insult=0.9))]))
    assert fused[Category.INSULT] == (pytest.approx(0.9), "line:1")


def test_an_insult_split_over_lines_rests_on_the_joined_text() -> None:
    fused = fuse(item([("you", vector(insult=0.1)), ("idiot", vector(insult=0.3))], joined=vector(insult=0.85)))
    assert fused[Category.INSULT] == (pytest.approx(0.85), "joined")


def test_a_weapon_under_kind_words_rests_on_the_image() -> None:
    fused = fuse(item([("happy birthday", vector())], image=vector(weapons=0.9)))
    assert fused[Category.WEAPONS] == (pytest.approx(0.9), "image")
    assert fused[Category.INSULT] == (0.0, "none")


def test_an_insult_over_a_weapon_becomes_a_threat_that_neither_is_alone() -> None:
    together = fuse(item([("loser", vector(insult=0.7))], image=vector(weapons=0.7)))
    assert together[Category.THREAT][0] > 0.35
    assert together[Category.THREAT][1] == "text+image"
    assert fuse(item([("loser", vector(insult=0.7))]))[Category.THREAT][0] == 0.0


def test_a_card_without_text_is_judged_by_its_picture_alone() -> None:
    assert fuse(item(image=vector(drugs=0.4)))[Category.DRUGS] == (pytest.approx(0.4), "image")


def test_other_words_than_those_asked_for_are_off_script() -> None:
    fused = fuse(item([("新年快乐", vector()), ("今晚打老虎", vector())], expected=[1.0, 0.0]))
    assert fused[Category.OFF_SCRIPT] == (pytest.approx(1.0), "line:1")


def test_nothing_is_off_script_when_nothing_was_asked_for() -> None:
    assert fuse(item([("今晚打老虎", vector())]))[Category.OFF_SCRIPT] == (0.0, "none")


def test_off_script_disregards_single_characters_and_unsure_readings() -> None:
    texts = text_array(["福", "今晚打老虎", "新年快乐"])
    scores = off_script(texts, np.array([0.99, 0.4, 0.99]), np.array([0.0, 0.0, 0.8]))
    assert scores.tolist() == [0.0, 0.0, 0.0]


probability = st.floats(0, 1, width=32)
scores = st.lists(probability, min_size=C, max_size=C).map(lambda v: np.array(v, np.float32))


@given(line=scores, joined=scores, image=scores)
def test_scores_stay_probabilities_and_never_fall_below_a_single_signal(
    line: np.ndarray, joined: np.ndarray, image: np.ndarray
) -> None:
    fused = fuse(item([("text", line)], joined=joined, image=image))
    for index, category in enumerate(CATEGORIES):
        score = fused[category][0]
        assert 0.0 <= score <= 1.0
        text = joined[index] if category is Category.OFF_SCRIPT else max(line[index], joined[index])
        assert score >= max(text, image[index]) - 1e-6


def test_each_item_of_a_batch_gets_its_own_answer() -> None:
    first, second = Fusion({}).run([item(image=vector(weapons=0.9)), item([("x", vector(hate=0.5))])])
    assert isinstance(first, StageResult)
    assert isinstance(second, StageResult)
    assert first.looked_at == {"lines": 0}
    assert second.looked_at == {"lines": 1}


def test_an_ornament_read_as_two_letters_is_not_off_script() -> None:
    scores = off_script(text_array(["mx", "not what was asked"]), np.array([0.99, 0.99]), np.array([0.0, 0.0]))
    assert scores.tolist() == [0.0, 1.0]
