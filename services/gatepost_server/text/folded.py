"""Text as it is compared with what was asked for, each character knowing where it came from."""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass

from gatepost_server.text.characters import drop_invisible, is_han, lookalikes
from gatepost_server.text.normalize import simplify

_APART = re.compile(
    r"[\n\r,;!?、。，；！？…:：|/\\()（）【】《》「」『』“”\"~～·•]+|(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff])"
)
_LEAST_HAN, _LEAST_LETTERS = 2, 3  # a shorter clause belongs to its neighbour


@dataclass(frozen=True, slots=True)
class Folded:
    """Letters and digits of `source` in lower case, simplified, without marks. All sequences have one length.

    `origins[i]` is the place in `source` that text[i] came from, `words[i]` the number of its word.
    """

    source: str
    text: str
    origins: tuple[int, ...]
    words: tuple[int, ...]

    def drawn(self, start: int, end: int) -> str:
        """The source of text[start:end], with what stands between."""
        return self.source[self.origins[start] : self.origins[end - 1] + 1] if end > start else ""


@functools.lru_cache(maxsize=2_048)
def fold(source: str) -> Folded:
    """Never raises. Compatibility forms, case, traditional characters, accents and look-alike letters are folded."""
    characters: list[str] = []
    origins: list[int] = []
    words: list[int] = []
    word = 0
    for place, character in enumerate(source):
        plain = drop_invisible(unicodedata.normalize("NFKD", character))
        kept = [each for each in unicodedata.normalize("NFKC", plain).casefold() if each.isalnum()]
        if not kept and character not in "'’":
            word += 1
        for each in kept:
            if is_han(each):  # every character is a word of its own
                word += 1
            characters.append(each.translate(lookalikes()))
            origins.append(place)
            words.append(word)
            if is_han(each):
                word += 1
    text = simplify("".join(characters))
    if len(text) != len(characters):  # OpenCC keeps lengths but for words that nobody writes on cards
        text = "".join(simplify(each)[:1] or each for each in characters)
    return Folded(source, text, tuple(origins), tuple(words))


def clauses_of(asked: str) -> list[Folded]:
    """The parts of an asked-for text that a picture may show apart, in lines of their own."""
    parts: list[str] = []
    for part in _split(asked):
        if parts and (_is_short(part) or _is_short(parts[-1])):
            parts[-1] = f"{parts[-1]} {part}"
        else:
            parts.append(part)
    return [folded for part in parts if (folded := fold(part)).text]


def _split(asked: str) -> list[str]:
    return [part.strip() for part in _APART.split(asked) if part and part.strip()]


def _is_short(part: str) -> bool:
    text = fold(part).text
    return sum(map(is_han, text)) < _LEAST_HAN and len(text) < _LEAST_LETTERS
