"""Lines are read together with their neighbours, in every order, as long as a phrase may be."""

from __future__ import annotations

from gatepost_server.text.windows import windows


def texts_of(lines: list[str], orders: list[tuple[int, ...]]) -> list[str]:
    return [window.text for window in windows(lines, orders)]


def test_every_run_of_neighbours_is_one_window() -> None:
    assert texts_of(["祝你", "早日", "升天"], [(0, 1, 2)]) == ["祝你早日", "祝你早日升天", "早日升天"]


def test_every_order_adds_its_own_windows_once() -> None:
    assert texts_of(["逼", "傻"], [(0, 1), (1, 0)]) == ["逼傻", "傻逼"]
    assert texts_of(["逼", "傻"], [(0, 1), (0, 1)]) == ["逼傻"]


def test_lines_without_text_do_not_part_their_neighbours() -> None:
    assert texts_of(["傻", "", "逼"], [(0, 1, 2)]) == ["傻逼"]


def test_long_lines_are_not_read_together_as_a_whole() -> None:
    assert max(map(len, texts_of(["春" * 20, "风" * 20, "秋" * 20], [(0, 1, 2)]))) <= 24


def test_one_line_is_no_window() -> None:
    assert texts_of(["新年快乐"], [(0,)]) == []
    assert texts_of([], [()]) == []


def test_only_fragments_may_spell_a_short_word_together() -> None:
    [fragments] = windows(["傻", "逼"], [(0, 1)])
    [lines] = windows(["新年欢快", "滚滚财源"], [(0, 1)])
    assert fragments.shortest_term < lines.shortest_term


def test_two_long_lines_are_read_around_their_break() -> None:
    [around] = windows(["春" * 20 + "夏", "秋" + "冬" * 20], [(0, 1)])
    assert around.text == "春" * 11 + "夏秋" + "冬" * 11
    assert around.cut == ("春" * 11 + "夏", "秋" + "冬" * 11)


def test_words_around_a_break_stay_whole() -> None:
    before = "a very long line in which nobody would look for glass"
    after = "and another one that goes on for quite a while after it"
    [around] = windows([before, after], [(0, 1)])
    words = around.text.split()
    assert set(words) <= {*before.split(), *after.split()}
    assert {"glass", "and", "look", "goes"} <= set(words)


def test_a_word_longer_than_any_reach_is_still_read() -> None:
    assert texts_of(["x" * 90, "y" * 90], [(0, 1)]) == ["x" * 90 + " " + "y" * 90]
