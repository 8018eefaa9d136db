"""What a prompt quotes is what it asks to be written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost_server.text.quotes import quoted


@pytest.mark.parametrize(
    ("prompt", "texts"),
    [
        ("一张漂亮的贺卡，写着“新年快乐,仕途顺遂”", ["新年快乐,仕途顺遂"]),
        ("贺卡，上面写「福寿安康」和『万事如意』", ["福寿安康", "万事如意"]),
        ("画一条龙，“龙年大吉”四个字", ["龙年大吉"]),
        ('a card that says "Happy New Year"', ["Happy New Year"]),
        ("a poster with the words 'Well done, team' on it", ["Well done, team"]),
        ("a mug, text: “Best Dad”", ["Best Dad"]),
        ("生日贺卡 “生日快乐，妈妈”", ["生日快乐，妈妈"]),
    ],
)
def test_quoted_text_is_found_by_its_marks_in_either_language(prompt, texts):
    assert quoted(prompt) == texts


def test_where_words_announce_a_quotation_the_others_name_something_else():
    assert quoted('a "vintage look" card that says "Merry Christmas"') == ["Merry Christmas"]
    assert quoted("《西游记》风格的贺卡，写着“新年快乐”") == ["新年快乐"]


@pytest.mark.parametrize(
    "prompt",
    ["", "a card for my mum's birthday", 'a "vintage" card', "《西游记》海报", "it's Tom's and Ann's", '""', "“！”"],
)
def test_what_is_not_quoted_or_names_a_style_or_a_title_is_not_asked_for(prompt):
    assert quoted(prompt) == []


def test_the_same_text_counts_once_and_the_number_is_bounded():
    assert quoted("写着“新年快乐”，再写“新年快乐”") == ["新年快乐"]
    assert len(quoted("写着" + "".join(f"“第{number}行文字”" for number in range(99)))) == 16


@given(st.text(st.sampled_from("写着“”\"'「」 abc新年"), max_size=60))
def test_any_prompt_can_be_read(prompt):
    assert all(text in prompt for text in quoted(prompt))
