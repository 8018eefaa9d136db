"""Words that are hidden, only heard or only begun are found where what is written is unfamiliar, and not elsewhere."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from gatepost_server.domain.labels import Category
from gatepost_server.text.components import put_together
from gatepost_server.text.familiar import PAIRS, TELLING, WORDS, Familiar, bits, read_familiar
from gatepost_server.text.lexicon import Entry, Form, Lexicon, Strength
from gatepost_server.text.normalize import normalize

FAMILIAR = Familiar(bits(["飞舞", "子弹"]), frozenset(["vip", "women"]), frozenset("傻废"), "test")
TERMS = ["废物", "傻逼", "砍死你", "跳楼", "弄死你", "恶心人", "moron", "stupid asshole"]
LEXICON = Lexicon([Entry(term, Category.INSULT, Strength.STRONG, False, "gatepost") for term in TERMS], [], FAMILIAR)


def found(text: str) -> list[tuple[str, Form]]:
    return [(match.entry.term, match.form) for match in LEXICON.find(normalize(text))]


@pytest.mark.parametrize(
    ("text", "term"),
    [("你是废×", "废物"), ("傻* 一个", "傻逼"), ("砍○你", "砍死你"), ("what a m#r*n", "moron"), ("m*r*n", "moron")],
)
def test_a_word_is_found_though_signs_hide_part_of_it(text: str, term: str) -> None:
    assert found(text) == [(term, Form.WRITTEN)]


@pytest.mark.parametrize("text", ["新年快乐*", "*物", "*死*", "m****", "5*3", "好*"])
def test_too_few_characters_tell_nothing(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("你是吠悟", "废物"),
        ("你这个fei wu", "废物"),
        ("feiwu", "废物"),
        ("废wu", "废物"),
        ("废w", "废物"),
        ("你去tl吧", "跳楼"),
        ("ns你", "弄死你"),
        ("你tlfw", "跳楼"),
    ],
)
def test_a_word_is_guessed_by_its_sound_or_letters(text: str, term: str) -> None:
    assert (term, Form.GUESSED) in found(text)


@pytest.mark.parametrize(
    "text", ["雪花飞舞", "你是vip", "women", "fly tl home", "tl", "一群吠物", "子弹头楼", "new wu tang"]
)
def test_nothing_is_guessed_from_what_is_familiar(text: str) -> None:
    lexicon = Lexicon(LEXICON.entries, ["吠物"], FAMILIAR)
    assert lexicon.find(normalize(text)) == []


def test_without_what_is_familiar_nothing_is_guessed() -> None:
    assert Lexicon(LEXICON.entries).find("你是吠悟") == []


def test_parts_that_may_meet_by_chance_are_only_put_together_on_demand() -> None:
    assert put_together("女马的", sure=True) == "女马的"
    assert put_together("女马的", sure=False) == "妈的"


def test_what_is_familiar_is_read_back(tmp_path: Path) -> None:
    assert read_familiar(tmp_path) is None
    np.savez_compressed(tmp_path / PAIRS, seen=bits(["飞舞"]))
    (tmp_path / WORDS).write_text("vip\nok\n")
    (tmp_path / TELLING).write_text("傻\n")
    familiar = read_familiar(tmp_path)
    assert familiar is not None
    assert familiar.is_seen_pair("飞舞")
    assert not familiar.is_seen_pair("舞飞")
    assert familiar.latin == {"vip", "ok"}


@pytest.mark.parametrize(
    "hostile", ["*傻" * 1_000, "fw" * 1_000, "吠" * 2_000, "m*" * 1_000, "fw傻" * 700, "女马" * 1_000]
)
def test_time_grows_with_the_text_only(hostile: str) -> None:
    LEXICON.find(normalize("傻"))
    started = time.perf_counter()
    LEXICON.find(normalize(hostile))
    assert time.perf_counter() - started < 0.5
