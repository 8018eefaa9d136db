"""Passages: whole readings of a card, in pieces that the encoder can take in at once."""

from __future__ import annotations

from gatepost_server.stages.text_toxicity.passages import passages


def read(texts: list[str], order: list[int] | None = None) -> list[str]:
    return [one.text for one in passages(texts, order if order is not None else list(range(len(texts))))]


def test_a_short_card_is_one_passage() -> None:
    assert read(["祝你", "早日", "升天"]) == ["祝你早日升天"]


def test_the_reading_order_is_kept() -> None:
    assert read(["升天", "早日", "祝你"], [2, 1, 0]) == ["祝你早日升天"]


def test_one_line_is_no_passage() -> None:
    assert read(["新年快乐"]) == []


def test_lines_without_letters_are_left_out() -> None:
    [only] = passages(["祝你", "★★", "升天"], [0, 1, 2])
    assert only.indices == (0, 2)


def test_a_long_card_is_cut_between_lines_and_nothing_is_lost() -> None:
    texts = [f"第{number}行说了很多很多祝福的话" for number in range(8)]
    found = read(texts)
    assert len(found) > 1
    assert "".join(found) == "".join(texts)


def test_words_of_two_lines_stay_apart() -> None:
    assert read(["enjoy your", "last birthday"]) == ["enjoy your last birthday"]
