"""Lines are read down their edges: characters of Chinese ones, letters and words of English ones."""

from __future__ import annotations

from gatepost_server.text.acrostics import acrostics


def texts(*lines: str) -> list[str]:
    return [acrostic.text for acrostic in acrostics(lines)]


def test_chinese_lines_say_something_by_their_first_and_last_characters() -> None:
    assert texts("傻傻地等你", "瓜子配清茶") == ["傻瓜", "你茶"]


def test_english_lines_say_something_by_their_first_letters_and_words() -> None:
    assert texts("i do", "will power", "find joy", "you too") == ["iwfy", "i will find you"]


def test_many_first_letters_are_parted_into_words() -> None:
    assert texts(*(f"{letter}o on" for letter in "killyou"))[0] == "kill you"


def test_too_few_or_too_many_lines_say_nothing() -> None:
    assert texts("新年快乐") == []
    assert texts("happy birthday", "dear anna") == []
    assert texts(*["新年"] * 13) == []


def test_single_characters_and_words_have_no_edges() -> None:
    assert texts("傻", "瓜") == []
    assert texts("slow", "loud", "up", "to") == []
