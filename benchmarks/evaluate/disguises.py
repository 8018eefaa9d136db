"""Abuse spelled so that filters miss it, for measuring. Written apart from training's own copies, with other tables.

A disguise touches the words that say something and leaves 你, 是, "you", "are" alone, as people do. `disguised` gives
None where a disguise finds nothing to change.
"""

from __future__ import annotations

import functools
import random
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from opencc import OpenCC
from pypinyin import Style, lazy_pinyin

Disguise = Callable[[random.Random, str], str]

_FUNCTION_ZH = "你我他她它您们是的了个在这那就都和也很有真太吧吗呢啊呀一给让被把为到说还会要跟像又"
_FUNCTION_EN = re.compile(
    r"a|an|and|are|as|at|be|but|for|from|had|has|have|he|her|him|his|i|if|in|is|it|its|just|me|my|no|not|of|off|on|or|our|"
    r"out|so|than|that|the|their|them|they|this|to|too|up|was|we|were|what|who|will|with|you|your|youre",
    re.IGNORECASE,
)
_RUN_ZH = re.compile(f"[^\\W\\da-zA-Z_{_FUNCTION_ZH}]+")
_WORD_EN = re.compile(r"[A-Za-z]{3,}")
_LEET = str.maketrans({"a": "4", "e": "3", "i": "1", "o": "0", "s": "5", "t": "7"})
_CYRILLIC = str.maketrans("aceiopsxyABCEHKMOPTX", "асеіорѕхуАВСЕНКМОРТХ")
_VOWEL = re.compile("[aeiou]", re.IGNORECASE)


def _homophone(rng: random.Random, word: str) -> str:
    return "".join(rng.choice(_alike().get(character) or [character]) for character in word)


def _masked_zh(rng: random.Random, word: str) -> str:
    sign = rng.choice("*×○")
    return "".join(sign if index % 2 else character for index, character in enumerate(word))


def _masked_en(rng: random.Random, word: str) -> str:
    return _VOWEL.sub(rng.choice("*#"), word, count=2)


def _repeated(rng: random.Random, word: str) -> str:
    places = [match.start() for match in _VOWEL.finditer(word)] or [len(word) - 1]
    place = rng.choice(places)
    return word[:place] + word[place] * rng.randint(3, 5) + word[place + 1 :]


CHINESE: Mapping[str, Disguise] = {
    "spaced": lambda _, word: " ".join(word),
    "dotted": lambda rng, word: rng.choice(".·-~").join(word),
    "homophone": _homophone,
    "pinyin": lambda _, word: " ".join(lazy_pinyin(word)),
    "initials": lambda _, word: "".join(lazy_pinyin(word, style=Style.FIRST_LETTER)),
    "traditional": lambda _, word: str(_traditional().convert(word)),
    "masked": _masked_zh,
}
ENGLISH: Mapping[str, Disguise] = {
    "spaced": lambda _, word: " ".join(word),
    "dotted": lambda rng, word: rng.choice(".-_").join(word),
    "leet": lambda _, word: word.lower().translate(_LEET),
    "homoglyph": lambda _, word: word.translate(_CYRILLIC),
    "masked": _masked_en,
    "repeated": _repeated,
}


def disguised(name: str, language: str, text: str, seed: int) -> str | None:
    """`text` under the disguise `name`, None where that is the text itself."""
    rng = random.Random(f"{name} {seed} {text}")
    if language == "zh":
        changed = _RUN_ZH.sub(lambda match: CHINESE[name](rng, match[0]), text)
    else:
        changed = _WORD_EN.sub(lambda match: _english(ENGLISH[name], rng, match[0]), text)
    return None if changed == text else changed


def halves(text: str, language: str) -> tuple[str, ...] | None:
    """`text` broken over two lines inside what it says: between words in English, anywhere in Chinese."""
    parts: Sequence[str] = text if language == "zh" else text.split(" ")
    if len(parts) < 2:
        return None
    middle, glue = (len(parts) + 1) // 2, "" if language == "zh" else " "
    return glue.join(parts[:middle]), glue.join(parts[middle:])


def _english(disguise: Disguise, rng: random.Random, word: str) -> str:
    return word if _FUNCTION_EN.fullmatch(word) else disguise(rng, word)


@functools.cache
def _traditional() -> OpenCC:
    return OpenCC("s2t")


@functools.cache
def _alike() -> Mapping[str, Sequence[str]]:
    """Other common characters (the first level of GB 2312) of the same toneless syllable, by character."""
    level = [bytes([row, cell]).decode("gb2312") for row in range(0xB0, 0xD7) for cell in range(0xA1, 0xFF)]
    by_sound = defaultdict(list)
    for character in level:
        by_sound[lazy_pinyin(character)[0]].append(character)
    return {
        character: [other for other in alike if other != character]
        for alike in by_sound.values()
        for character in alike
    }
