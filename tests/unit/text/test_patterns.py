"""Patterns: what a dotted background is read as is left out, what spells something stays."""

from gatepost_server.text.patterns import pattern

DOTS = ["o", "0", "e", "o", "c", "6"] * 5


def test_many_round_characters_are_a_pattern() -> None:
    assert pattern([*DOTS, "happy birthday"]) == frozenset(range(30))


def test_a_character_that_comes_again_and_again_is_a_pattern() -> None:
    assert pattern(["中"] * 26 + ["生日快乐"]) == frozenset(range(26))


def test_other_characters_among_the_dots_stay() -> None:
    found = pattern([*DOTS, "恭", "喜"])
    assert found == frozenset(range(30))


def test_few_single_characters_are_no_pattern() -> None:
    assert pattern(DOTS[:12]) == frozenset()


def test_a_word_from_top_to_bottom_is_no_pattern() -> None:
    assert pattern(list("thanksforbeingmyrockcakecandlesandyou")) == frozenset()


def test_full_stops_of_a_reading_do_not_matter() -> None:
    assert pattern(["o."] * 30) == frozenset(range(30))
