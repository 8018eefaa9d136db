"""What pages say, in every language."""

from __future__ import annotations

import re
import string
from importlib.resources import files

import pytest

from gatepost_server.console.words import LANGUAGES, language_for, words_in

_LITERAL = re.compile(r"""\bt\(\s*["']([a-z_]+\.[A-Za-z_0-9]+)["'](?!\s*~)""")


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything_with_the_same_values_in_it(language):
    english, other = words_in("en"), words_in(language)
    assert other.keys == english.keys
    for key in english.keys:
        assert other.raw(key).strip(), key
        assert fields(other.raw(key)) == fields(english.raw(key)), key


def test_whatever_a_template_says_is_in_the_catalogue():
    templates = files("gatepost_server.console") / "templates"
    said = {
        key for file in templates.iterdir() if file.name.endswith(".html") for key in _LITERAL.findall(file.read_text())
    }
    assert len(said) > 50
    assert said <= words_in("en").keys, said - words_in("en").keys


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("categories", "gatepost_server.domain.labels:Category"),
        ("decisions", "gatepost_server.domain.labels:Decision"),
        ("kinds", "gatepost_server.domain.review:QueueKind"),
        ("roles", "gatepost_server.records.accounts:AccountRole"),
        ("timeline", "gatepost_server.domain.review:ActKind"),
        ("asked", "gatepost_server.domain.asked:SpanKind"),
        ("you", "gatepost_server.records.accounts:Theme"),
        ("grounds", "gatepost_server.domain.decision:ReasonCode"),
    ],
)
def test_every_word_of_the_domain_has_one_for_people(kind, values):
    module, _, name = values.partition(":")
    enumeration = getattr(__import__(module, fromlist=[name]), name)
    prefix = {"you": "theme_", "grounds": "code_"}.get(kind, "")
    assert {f"{kind}.{prefix}{value.value}" for value in enumeration} <= words_in("en").keys


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        ("", "", "en"),
        ("", "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("", "en-GB,zh;q=0.5", "en"),
        ("", "en;q=0.2, zh-Hant-HK;q=0.9", "zh"),
        ("", "de, zh;q=0.3", "zh"),
        ("", "de", "en"),
        ("", "*", "en"),
        ("", "\x00;q=x,,;;", "en"),
        ("zh", "en", "zh"),
        ("xx", "en", "en"),
    ],
)
def test_the_language_is_the_chosen_one_or_the_browsers(chosen, accepted, language):
    assert language_for(chosen, accepted) == language


@pytest.mark.parametrize(
    ("seconds", "told"), [(-5, "0 s"), (59, "59 s"), (60, "1 min"), (7_300, "2 h"), (200_000, "2 d")]
)
def test_a_stretch_of_time_is_told_in_its_largest_unit(seconds, told):
    assert words_in("en").age(seconds) == told
