"""Entries are found as written, masked and by sound, and not inside harmless words."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost_server.domain.labels import Category
from gatepost_server.text.lexicon import Entry, Form, Lexicon, Strength, read_lexicon
from gatepost_server.text.normalize import normalize


def entry(term: str, *, sounds: bool = False, strength: Strength = Strength.STRONG) -> Entry:
    return Entry(term, Category.INSULT, strength, sounds, "test")


def terms(lexicon: Lexicon, text: str) -> list[str]:
    return [match.entry.term for match in lexicon.find(normalize(text))]


LEXICON = Lexicon(
    [entry("傻逼", sounds=True), entry("操你妈", sounds=True), entry("fuck"), entry("ass"), entry("杀")], ["杀青"]
)


@pytest.mark.parametrize("text", ["你傻逼", "傻 逼", "傻\u200b逼", "你是煞笔吗", "sha bi", "shabi", "傻屄"[:1] + "逼"])
def test_a_chinese_entry_is_found_as_written_and_by_sound(text: str) -> None:
    assert "傻逼" in terms(LEXICON, text)


@pytest.mark.parametrize("text", ["FUCK", "f*ck", "f**k", "f***ck", "f.u.c.k", "fu.ck", "fuuuck"])
def test_an_english_entry_is_found_masked_and_split(text: str) -> None:
    assert "fuck" in terms(LEXICON, text)


@pytest.mark.parametrize("text", ["class", "assemble", "bass guitar", "Massachusetts"])
def test_an_english_entry_is_not_found_inside_another_word(text: str) -> None:
    assert terms(LEXICON, text) == []


def test_an_exception_hides_only_the_entry_inside_it() -> None:
    assert terms(LEXICON, "杀青大吉") == []
    assert terms(LEXICON, "杀青后杀") == ["杀"]


def test_a_match_by_sound_says_so() -> None:
    assert [match.form for match in LEXICON.find("煞笔")] == [Form.SOUND]
    assert [match.form for match in LEXICON.find("傻逼")] == [Form.WRITTEN]


def test_an_entry_by_sound_needs_whole_syllables() -> None:
    assert terms(LEXICON, "shabin") == []


INITIALS = Lexicon(
    [
        entry("断子绝孙"),
        entry("忌日快乐"),
        entry("操你妈"),
        entry("恶有恶报"),
        entry("小人得志", strength=Strength.WEAK),
    ],
    ["jrkl"],
)


@pytest.mark.parametrize("text", ["dzjs", "DZJS", "祝你dzjs!", "d z j s", "you dzjs."])
def test_a_strong_chinese_entry_is_found_by_its_initials(text: str) -> None:
    [match] = INITIALS.find(normalize(text))
    assert (match.entry.term, match.form) == ("断子绝孙", Form.INITIALS)


@pytest.mark.parametrize(
    "text", ["dzjsm", "adzjs", "dzjs2", "cnm", "eyeb", "xrdz", "jrkl", "hbd", "xmas", "tbh", "bffs"]
)
def test_initials_need_a_whole_word_that_is_long_has_no_vowel_and_is_no_exception(text: str) -> None:
    assert INITIALS.find(text) == []


def test_an_empty_lexicon_finds_nothing() -> None:
    assert Lexicon([]).find("傻逼") == []


def test_a_folder_of_tables_is_read_with_its_exceptions(tmp_path: Path) -> None:
    (tmp_path / "insult.tsv").write_text("term\tstrength\tsounds\tsource\n滚\tweak\t0\tgatepost\n", encoding="utf-8")
    (tmp_path / "exceptions.txt").write_text("滚滚\n", encoding="utf-8")
    lexicon = read_lexicon(tmp_path)
    assert terms(lexicon, "滚") == ["滚"]
    assert terms(lexicon, "财源滚滚") == []


def test_another_entry_makes_another_version() -> None:
    assert Lexicon([entry("滚")]).version != Lexicon([entry("滚蛋")]).version
