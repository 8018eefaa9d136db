"""Block and allow lists see through spelling, and no further."""

from __future__ import annotations

import pytest

from gatepost_server.policy.document import AllowEntry, BlockEntry
from gatepost_server.policy.lists import AllowList, BlockList
from tests.builders import evidence, line


def found(entry: str, *texts: str) -> list[str]:
    entries = [BlockEntry(id="entry", text=entry)]
    return [match.source for match in BlockList(entries).find(evidence(lines=[line(text) for text in texts]))]


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ("buy now", "Please BUY  NOW!"),
        ("笨蛋", "你这个笨蛋"),
        ("笨蛋", "笨 蛋"),
        ("傻瓜", "傻\u200b瓜"),
        ("發財", "恭喜发财"),
        ("ＡＢＣ", "abc"),
        ("fool", "f.o.o.l"),
    ],
)
def test_an_entry_is_found_however_it_is_spelled(entry, text):
    assert found(entry, text) == ["line:0"]


def test_a_latin_entry_matches_whole_words_only():
    assert found("ass", "a glass of classic wine") == []
    assert found("ass", "what an ass!") == ["line:0"]


def test_an_entry_split_over_two_lines_is_found_in_the_joined_text():
    assert found("滚蛋", "滚", "蛋") == ["joined"]


def test_an_entry_that_is_not_there_is_not_found():
    assert found("笨蛋", "新年快乐", "仕途顺遂") == []


def test_only_a_line_that_says_nothing_else_is_cleared():
    allow = AllowList([AllowEntry(id="mark", text="Made with CardMaker")])
    seen = evidence(lines=[line("MADE WITH CARDMAKER."), line("Made with CardMaker, fool"), line("Happy New Year")])
    assert allow.lines(seen) == {0}
