"""Spellings that try to get past a filter, for perturbed training copies and for measuring evasion."""

from __future__ import annotations

import functools
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from opencc import OpenCC

from gatepost_server.text.characters import is_han
from gatepost_server.text.pinyin import initials, syllable

Attack = Callable[[random.Random, str], str]
Homophones = Mapping[str, Sequence[str]]

_CYRILLIC = str.maketrans("aeopcxyi", "аеорсхуі")
_LEET = {"a": "@4", "e": "3", "i": "1!", "o": "0", "s": "$5", "t": "7"}
_HAN_RUN = re.compile("[\u4e00-\u9fff]{2,}")
_LATIN_RUN = re.compile("[A-Za-z]{4,}")
_VOWEL = re.compile("[aeiou]", re.IGNORECASE)
# What people leave readable when they disguise a whole line.
_SMALL_WORDS = "你我他她它的了是不都也和就在要去吧吗呢啊"
_CONTENT_RUN = re.compile(f"[^\\W\\da-zA-Z_{_SMALL_WORDS}]+")
_CONTENT_WORD = re.compile("[A-Za-z]{3,}")
_COMMON_WORDS = re.compile("the|and|you|your|are|for|with|this|that|was|has|have|not|but|all|can|will", re.IGNORECASE)
_SIGNS = "**×○"  # that stand for a character
# By name, with how often each is drawn: those that normalising leaves as they are, so that a model must know them.
_LEFT = {
    "zh": ("homophone", "homophone", "pinyin", "initials", "masked", "masked", "partly"),
    "en": ("leet", "masked", "masked", "split"),
}


def homophones(texts: Iterable[str], common: int = 4_000) -> Homophones:
    """The most common characters of `texts` by toneless pinyin."""
    counts = Counter(character for text in texts for character in text if "\u4e00" <= character <= "\u9fff")
    table: defaultdict[str, list[str]] = defaultdict(list)
    for character, _ in counts.most_common(common):
        table[syllable(character)].append(character)
    return table


@functools.cache
def _traditional() -> OpenCC:
    return OpenCC("s2t")


def chinese_attacks(table: Homophones) -> dict[str, Attack]:
    """Attacks on a Chinese word by name."""

    def homophone(rng: random.Random, word: str) -> str:
        def other(character: str) -> str:
            choices = [known for known in table.get(syllable(character), ())[:12] if known != character]
            return rng.choice(choices) if choices else character

        return "".join(map(other, word))

    def partly(rng: random.Random, word: str) -> str:
        place = rng.randrange(len(word))
        spelled = syllable(word[place]) or word[place]
        return word[:place] + rng.choice((spelled, spelled[0])) + word[place + 1 :]

    return {
        "zero_width": lambda _, word: "\u200b".join(word),
        "split": lambda rng, word: rng.choice([".", " ", "*", "-", "|", "_"]).join(word),
        "homophone": homophone,
        "pinyin": lambda rng, word: rng.choice(["", " "]).join(map(syllable, word)),
        "initials": lambda _, word: initials(word),
        "traditional": lambda _, word: str(_traditional().convert(word)),
        "masked": _mask_characters,
        "partly": partly,
    }


def english_attacks() -> dict[str, Attack]:
    """Attacks on an English word by name."""

    def leet(rng: random.Random, word: str) -> str:
        return "".join(rng.choice(_LEET[c]) if c in _LEET and rng.random() < 0.8 else c for c in word)

    return {
        "zero_width": lambda _, word: "\u200b".join(word),
        "split": lambda rng, word: rng.choice([".", " ", "*", "-", "_"]).join(word),
        "leet": leet,
        "homoglyph": lambda _, word: word.translate(_CYRILLIC),
        "masked": _mask_letters,
        "repeated": lambda rng, word: "".join(c * rng.choice([1, 1, 3, 4]) for c in word),
    }


def _mask_characters(rng: random.Random, word: str) -> str:
    """The first character alone, every second one, or all but one."""
    sign, places = rng.choice(_SIGNS), range(len(word))
    hidden = rng.choice((places[1:], places[1::2], [rng.choice(places)]))
    return "".join(sign if place in hidden else character for place, character in enumerate(word))


def _mask_letters(rng: random.Random, word: str) -> str:
    """First and last letter alone, or one or two vowels hidden."""
    if rng.random() < 0.4:
        return word[0] + "*" * (len(word) - 2) + word[-1]
    return _VOWEL.sub(rng.choice("**#-"), word, count=rng.choice((1, 2)))


def left_by_normalizing(rng: random.Random, table: Homophones, *, chinese: bool) -> Attack:
    """An attack on words of one language that normalising does not undo."""
    attacks = chinese_attacks(table) if chinese else english_attacks()
    return attacks[rng.choice(_LEFT["zh" if chinese else "en"])]


def apply(rng: random.Random, text: str, spans: Sequence[tuple[int, int]], attack: Attack) -> str:
    """`text` with every span attacked; spans are ascending and apart."""
    parts: list[str] = []
    end = 0
    for start, stop in spans:
        parts += [text[end:start], attack(rng, text[start:stop])]
        end = stop
    return "".join([*parts, text[end:]])


def some_span(rng: random.Random, text: str) -> tuple[int, int] | None:
    """A random Chinese pair to quadruple, or an English word of four letters or more."""
    runs = [match.span() for match in (*_HAN_RUN.finditer(text), *_LATIN_RUN.finditer(text))]
    if not runs:
        return None
    start, stop = rng.choice(runs)
    if not is_han(text[start]):
        return start, stop
    length = min(stop - start, rng.choice([2, 2, 3, 4]))
    first = rng.randint(start, stop - length)
    return first, first + length


def content_spans(text: str) -> list[tuple[int, int]]:
    """All that says something: every run of Chinese characters, every English word, but small words."""
    words = (match for match in _CONTENT_WORD.finditer(text) if not _COMMON_WORDS.fullmatch(match.group()))
    return sorted(match.span() for match in (*_CONTENT_RUN.finditer(text), *words))


def misread(rng: random.Random, text: str) -> str:
    """OCR slips: characters lost or read as another."""
    read: list[str] = []
    for character in text:
        roll = rng.random()
        if roll >= 0.06:
            read.append(rng.choice("l1|的一口日0.") if roll < 0.1 else character)
    return "".join(read)
