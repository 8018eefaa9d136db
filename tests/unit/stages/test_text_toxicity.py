"""The text stage with the shipped weights: insults score high however they are laid out, kind cards stay low."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from gatepost_server.domain.errors import ErrorReason, GatepostError
from gatepost_server.domain.labels import CATEGORIES, Category
from gatepost_server.stages.base import Arrays, StageResult, text_array
from gatepost_server.stages.text_toxicity import TextToxicity

DIRECTORY = Path(__file__).parents[3] / "model_repository/text_toxicity/1"
ABUSE = [
    CATEGORIES.index(c) for c in (Category.INSULT, Category.HATE, Category.THREAT, Category.SEXUAL, Category.ILL_OMEN)
]

Box = tuple[float, float, float, float]


@pytest.fixture(scope="module")
def stage() -> TextToxicity:
    return TextToxicity({"directory": str(DIRECTORY)})


def card(
    texts: Sequence[str],
    boxes: Sequence[Box] | None = None,
    *,
    confidence: float = 0.98,
    expected: Sequence[str] = (),
    views: Sequence[int] | None = None,
) -> Arrays:
    """One request's tensors; lines are rows below one another unless boxes say otherwise."""
    rows = [(0.1, 0.1 * i, 0.9, 0.1 * i + 0.08) for i in range(len(texts))]
    points = [corner for a, b, c, d in boxes or rows for corner in ((a, b), (c, b), (c, d), (a, d))]
    return {
        "TEXTS": text_array(texts),
        "TEXT_CONFIDENCES": np.full(len(texts), confidence, np.float32),
        "POLYGON_POINTS": np.asarray(points, np.float32).reshape(-1, 2),
        "POLYGON_SIZES": np.full(len(texts), 4, np.int32),
        "LINE_VIEWS": np.asarray(views or [0] * len(texts), np.int32),
        "EXPECTED": text_array(expected),
    }


def judged(stage: TextToxicity, item: Arrays) -> Arrays:
    [result] = stage.run([item])
    assert isinstance(result, StageResult)
    return result.arrays


def line_score(stage: TextToxicity, text: str, **known: float) -> float:
    return float(judged(stage, card([text], **known))["LINE_SCORES"].max())  # type: ignore[arg-type]


def scores_of(stage: TextToxicity, text: str) -> dict[Category, float]:
    return dict(zip(CATEGORIES, judged(stage, card([text]))["LINE_SCORES"][0].tolist(), strict=True))


CLEAR = [
    "傻逼", "你是傻逼", "傻B", "煞笔", "沙比", "你个SB", "S.B东西你是sb", "去死吧", "你妈死了", "nmsl", "操你妈", "草泥马", "cao ni ma", "caonima",
    "王八蛋", "滚蛋", "废物", "你这个垃圾", "贱人", "死全家", "狗娘养的", "不得好死", "傻 逼", "傻*逼", "傻\u200b逼", "fuck you", "f*ck you",
    "F U C K", "sh1t", "You stupid bitch", "Go to hell", "kill yourself", "You are an idiot", "asshole", "fцсk уоu"[:0] + "fuсk you",
]  # fmt: skip


@pytest.mark.parametrize("text", CLEAR)
def test_a_clear_insult_scores_at_least_point_eight(stage: TextToxicity, text: str) -> None:
    assert line_score(stage, text) >= 0.8


@pytest.mark.parametrize("text", ["dzjs", "祝你DZJS", "z.g.b.r", "qssl吧", "wcnm", "cnmb"])
def test_the_initials_of_a_strong_entry_score_like_one(stage: TextToxicity, text: str) -> None:
    assert line_score(stage, text) >= 0.8


@pytest.mark.parametrize("text", ["jrkl", "srkl", "XNKL!", "hbd", "tbh", "bff", "Thx frnds", "hmmm", "mmmm"])
def test_abbreviations_on_kind_cards_stay_low(stage: TextToxicity, text: str) -> None:
    assert line_score(stage, text) < 0.5


@pytest.mark.parametrize("text", ["祝你早日升天", "給您送終", "祝你全家早死早超生", "I hope you die", "Rot in hell"])
def test_a_wish_of_death_is_an_ill_omen_or_an_insult(stage: TextToxicity, text: str) -> None:
    scores = scores_of(stage, text)
    assert max(scores[Category.ILL_OMEN], scores[Category.INSULT]) >= 0.8


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("我要杀了你", Category.THREAT),
        ("I will kill you", Category.THREAT),
        ("约炮加微信", Category.SEXUAL),
        ("send nudes", Category.SEXUAL),
        ("出售冰毒", Category.DRUGS),
        ("buy cocaine here", Category.DRUGS),
        ("去自杀吧", Category.SELF_HARM),
        ("cut yourself", Category.SELF_HARM),
        ("加微信13800138000领红包", Category.SPAM),
        ("出售枪支弹药", Category.WEAPONS),
        ("黑鬼滚出去", Category.HATE),
    ],
)
def test_harm_is_scored_in_its_own_category(stage: TextToxicity, text: str, category: Category) -> None:
    assert scores_of(stage, text)[category] >= 0.7


KIND = [
    "新年快乐", "仕途顺遂", "恭喜发财,大吉大利", "年年有鱼", "狗年旺旺", "杀青大吉", "艾滋病日关爱", "垃圾分类从我做起", "妈妈我爱你", "财源滚滚",
    "祝爷爷奶奶身体健康", "鸡年大吉", "干杯", "放鞭炮", "生日快乐", "福", "春", "2026", "Happy New Year", "Screwdriver set for dad", "Stupid Cupid",
    "killer smile", "Scunthorpe United", "Moby Dick", "Cocktail party", "You slay, queen", "Merry Christmas from Essex", "Break a leg", "Gong Xi Fa Cai",
]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["寿", "财", "囍", "元旦", "龙年", "马年!", "七夕", "情人节", "生日", "女人", "日本人", "老年人", "祝爷爷", "x"],
)
def test_a_few_characters_that_no_list_holds_say_little(stage: TextToxicity, text: str) -> None:
    assert line_score(stage, text) < 0.3


@pytest.mark.parametrize("text", KIND)
def test_a_kind_line_scores_below_a_half(stage: TextToxicity, text: str) -> None:
    assert line_score(stage, text) < 0.5


def test_a_kind_card_stays_low_when_its_lines_are_read_together(stage: TextToxicity) -> None:
    kind = ["新年快乐", "万事如意", "身体健康", "财源滚滚", "恭喜发财", "阖家欢乐", "步步高升", "大吉大利"]
    assert judged(stage, card(kind))["JOINED_SCORES"].max() < 0.5


@pytest.mark.parametrize(
    "lines",
    [
        ["X", "★", "新年快乐", "万事如意"],
        ["★女", "Happy Halloween", "Trick or treat", "★"],
        ["★", "★", "女", "早日康复", "祝您身体健康", "★"],
        ["M", "Best Mom Ever", "I love you to bits"],
        ["MX", "★", "乔迁之喜"],
    ],
)
def test_stars_and_hearts_that_are_read_as_characters_do_not_spoil_a_kind_card(
    stage: TextToxicity, lines: list[str]
) -> None:
    found = judged(stage, card(lines))
    assert found["LINE_SCORES"].max() < 0.5
    assert found["JOINED_SCORES"].max() < 0.5


def test_ornaments_between_the_characters_of_an_insult_do_not_hide_it(stage: TextToxicity) -> None:
    assert judged(stage, card(["你这个大", "★", "傻", "★", "逼快乐"]))["JOINED_SCORES"].max() >= 0.8


def test_an_insult_split_over_rows_is_found_in_the_joined_text(stage: TextToxicity) -> None:
    arrays = judged(stage, card(["傻", "逼"]))
    assert arrays["JOINED_SCORES"][ABUSE].max() >= 0.8


def test_an_insult_split_over_columns_is_found_in_either_direction(stage: TextToxicity) -> None:
    columns = [(0.7, 0.1, 0.8, 0.9), (0.4, 0.1, 0.5, 0.9)]
    for texts in (["祝你早", "日升天"], ["日升天", "祝你早"]):
        assert judged(stage, card(texts, columns))["JOINED_SCORES"][ABUSE].max() >= 0.8


def test_an_insult_in_a_grid_of_single_characters_is_found(stage: TextToxicity) -> None:
    cells = [(0.1 + 0.4 * x, 0.1 + 0.4 * y, 0.4 + 0.4 * x, 0.4 + 0.4 * y) for y in (0, 1) for x in (0, 1)]
    by_column = ["妈", "操", "了", "你"]  # right column first: 操你 / 妈了
    right_to_left = ["死", "你", "了", "妈"]  # 你妈 down the right, 死了 down the left
    assert judged(stage, card(right_to_left, cells))["JOINED_SCORES"][ABUSE].max() >= 0.8
    assert judged(stage, card(by_column, cells))["JOINED_SCORES"][ABUSE].max() >= 0.5


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("我跟你认识这么多年今天才发现你真是个傻", "逼新的一年也祝你和家人都平平安安的吧"),
        ("祝你新年快乐身体健康也祝你这个废", "物早点明白自己到底是个什么样的东西"),
        ("新年到了大家都在忙着回家过年你还是去", "死吧别再回来打扰我们一家人的生活了"),
        (
            "happy birthday to you my dear old friend what a piece of",
            "shit you have become over these last few lovely years",
        ),
        (
            "i have been thinking about you all day so please go kill",
            "yourself and have a very happy new year with us all",
        ),
    ],
)
def test_an_insult_over_the_break_of_two_long_lines_is_found(stage: TextToxicity, first: str, second: str) -> None:
    assert judged(stage, card([first, second]))["JOINED_SCORES"].max() >= 0.8


def test_where_a_long_line_is_cut_no_harmless_word_becomes_an_entry(stage: TextToxicity) -> None:
    lines = ["新年快乐我们全家人都非常想念你和你的家人", "明年春天我们一起开车去死海看看风景好不好"]
    assert judged(stage, card(lines))["JOINED_SCORES"].max() < 0.5


@pytest.mark.parametrize("words", [["傻", "逼"], ["祝你", "早日", "升天"], ["fuck", "you"], ["go", "kill", "yourself"]])
def test_an_insult_told_one_word_a_frame_is_found(stage: TextToxicity, words: list[str]) -> None:
    same_place = [(0.1, 0.1, 0.9, 0.3)] * len(words)
    arrays = judged(stage, card(words, same_place, views=list(range(len(words)))))
    assert arrays["JOINED_SCORES"].max() >= 0.8


def test_a_caption_in_every_frame_does_not_part_the_words_beside_it(stage: TextToxicity) -> None:
    texts, views = ["新年快乐", "傻", "新年快乐", "逼"], [0, 0, 1, 1]
    assert judged(stage, card(texts, views=views))["JOINED_SCORES"].max() >= 0.8


def test_halves_on_white_and_on_black_are_read_where_they_stand(stage: TextToxicity) -> None:
    places = [(0.1, 0.1, 0.4, 0.3), (0.1, 0.6, 0.9, 0.7), (0.5, 0.1, 0.8, 0.3), (0.1, 0.8, 0.9, 0.9)]
    arrays = judged(stage, card(["傻", "新年快乐", "逼", "万事如意"], places, views=[0, 0, 1, 1]))
    assert arrays["JOINED_SCORES"].max() >= 0.8


def test_kind_frames_stay_low_when_they_are_read_together(stage: TextToxicity) -> None:
    growing = ["新", "新年", "新年快", "新年快乐", "恭喜发财", "Happy New Year", "身体健康"]
    assert judged(stage, card(growing, views=list(range(len(growing)))))["JOINED_SCORES"].max() < 0.5


def test_a_line_hardly_read_makes_no_confident_score(stage: TextToxicity) -> None:
    assert line_score(stage, "傻逼", confidence=0.3) < 0.3
    assert line_score(stage, "傻逼", confidence=0.95) >= 0.8


def test_asking_for_an_insult_does_not_make_it_kind(stage: TextToxicity) -> None:
    arrays = judged(stage, card(["你是傻逼"], expected=["你是傻逼"]))
    assert arrays["LINE_EXPECTED"][0] == 1.0
    assert arrays["LINE_SCORES"].max() >= 0.8


def test_the_incident_is_an_insult_that_nobody_asked_for(stage: TextToxicity) -> None:
    arrays = judged(stage, card(["新年快乐", "傻逼去死"], expected=["新年快乐,仕途顺遂"]))
    assert arrays["LINE_EXPECTED"].tolist() == [1.0, 0.0]
    assert arrays["LINE_SCORES"][1].max() >= 0.8
    assert arrays["LINE_SCORES"][0].max() < 0.5


def test_similarity_is_minus_one_where_nothing_was_asked_for(stage: TextToxicity) -> None:
    assert judged(stage, card(["新年快乐"]))["LINE_EXPECTED"].tolist() == [-1.0]
    assert judged(stage, card(["新年快乐"], expected=["", " "]))["LINE_EXPECTED"].tolist() == [-1.0]


def test_lines_carry_their_normal_form_language_and_matches(stage: TextToxicity) -> None:
    arrays = judged(stage, card(["恭喜發財", "F*CK", "傻 逼"]))
    assert [text.decode() for text in arrays["NORMALIZED_TEXTS"]] == ["恭喜发财", "f*ck", "傻逼"]
    assert arrays["LANGUAGES"].tolist() == [b"zh", b"en", b"zh"]
    assert arrays["LINE_MATCHES"][0] == b""
    assert "insult:傻逼" in arrays["LINE_MATCHES"][2].decode().split("\n")
    assert arrays["JOINED_TEXT"][0].decode() == "恭喜發財F*CK傻 逼"


def test_an_image_without_text_has_empty_tensors(stage: TextToxicity) -> None:
    arrays = judged(stage, card([]))
    assert arrays["LINE_SCORES"].shape == (0, len(CATEGORIES))
    assert arrays["JOINED_TEXT"].tolist() == [b""]
    assert arrays["JOINED_SCORES"].tolist() == [0.0] * len(CATEGORIES)


def test_lines_that_could_not_be_read_score_nothing(stage: TextToxicity) -> None:
    arrays = judged(stage, card(["", "\u200b"], confidence=0.0))
    assert not arrays["LINE_SCORES"].any()


def test_tensors_have_the_dtypes_of_the_contract(stage: TextToxicity) -> None:
    arrays = judged(stage, card(["新年快乐"], expected=["新年快乐"]))
    assert set(arrays) == {tensor.name for tensor in stage.contract.outputs}
    for tensor in stage.contract.outputs:
        assert arrays[tensor.name].dtype == (np.float32 if tensor.dtype == "TYPE_FP32" else object)


def test_one_item_with_broken_tensors_does_not_sink_its_neighbours(stage: TextToxicity) -> None:
    broken = {**card(["新年快乐"]), "POLYGON_SIZES": np.asarray([7], np.int32)}
    good, bad = stage.run([card(["新年快乐"]), broken])
    assert isinstance(good, StageResult)
    assert isinstance(bad, GatepostError)
    assert bad.reason is ErrorReason.MODEL_OUTPUT_INVALID


def test_bytes_that_are_not_utf8_are_judged_all_the_same(stage: TextToxicity) -> None:
    item = {**card(["x"]), "TEXTS": text_array([b"\xff\xfe fuck you"])}
    assert judged(stage, item)["LINE_SCORES"].max() >= 0.8


def test_a_flood_of_tiny_lines_is_cut_short_and_says_so(stage: TextToxicity) -> None:
    rng = np.random.default_rng(0)
    texts = [chr(0x4E00 + int(code)) for code in rng.integers(0, 3_000, 150)]
    [result] = stage.run([card(texts)])
    assert isinstance(result, StageResult)
    assert any(skipped.what == "lines read together" for skipped in result.skipped)


def test_the_models_are_named_with_versions(stage: TextToxicity) -> None:
    names = ["gatepost-text", "gatepost-text-encoder", "gatepost-text-combination", "gatepost-lexicons"]
    assert [model.name for model in stage.models] == names
    assert all(len(model.version) == 12 for model in stage.models)


def test_the_weights_are_small_enough_for_the_repository() -> None:
    sizes = [path.stat().st_size for path in DIRECTORY.rglob("*") if path.is_file()]
    assert max(sizes) <= 16 * 2**20
    assert sum(sizes) <= 30 * 2**20
