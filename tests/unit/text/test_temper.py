"""Frustration and abuse in somebody's own messages are noticed; ordinary corrections are neither."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost_server.text.temper import MOST_LETTERS, MOST_MESSAGES, Temper, read_abuse, temper_of

LEXICON = read_abuse(Path(__file__).parents[3] / "model_repository" / "text_toxicity" / "1" / "lexicons")


@pytest.mark.parametrize(
    "message",
    [
        "怎么又画错了",
        "我说了多少遍，要红色的",
        "說了多少遍",
        "这是什么玩意",
        "NO, still wrong",
        "I already told you, red!",
        "???",
        "这？？？",
    ],
)
def test_frustration_is_noticed(message):
    assert temper_of([message], LEXICON) == Temper(frustration=True)


@pytest.mark.parametrize("message", ["你这个废物", "白痴", "you idiot", "f*ck you", "傻×"])
def test_abuse_is_noticed_masked_or_not(message):
    assert temper_of([message], LEXICON).abuse


@pytest.mark.parametrize(
    "message",
    [
        "请把龙画成红色的",
        "字再大一点，谢谢！！！",
        "Could you make it red, please?",
        "Thank you so much!!!",
        "画一张傻瓜相机",
        "错别字改一下：新年快乐",
        "我要一张写给老师的卡片",
        "how many candles can you draw?",
    ],
)
def test_an_ordinary_correction_is_neither(message):
    assert temper_of([message], LEXICON) == Temper()


def test_the_last_messages_and_the_beginning_of_each_are_looked_at():
    calm = ["red, please"] * MOST_MESSAGES
    assert temper_of(["you idiot", *calm[1:]], LEXICON).abuse
    assert not temper_of(["you idiot", *calm], LEXICON).abuse
    assert not temper_of(["a" * MOST_LETTERS + " you idiot"], LEXICON).abuse


def test_a_folder_without_word_lists_is_said_to_be_one(tmp_path):
    with pytest.raises(FileNotFoundError, match="no word lists"):
        read_abuse(tmp_path)


def test_without_word_lists_frustration_is_noticed_alone():
    assert temper_of(["you idiot, wrong again"], None) == Temper(frustration=True)
    assert temper_of([], LEXICON) == Temper()
