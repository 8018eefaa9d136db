"""What the beginnings and ends of lines say, read down: 傻傻地等你 / 瓜子配清茶."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import wordninja

from gatepost_server.text.characters import HAN

_FEWEST, _MOST = 2, 12  # lines
_FEWEST_LETTERS = 4  # shorter words are often met by chance
_FEWEST_WORDS = 3
_CHARACTER = re.compile(rf"[{HAN}]")
_WORD = re.compile(r"[a-z']+")
_SEVERAL = 6  # letters that may be several words


@dataclass(frozen=True, slots=True)
class Acrostic:
    """One text read down all lines, by their characters or letters or by whole words."""

    text: str
    lines: int
    of_words: bool


def acrostics(texts: Sequence[str]) -> Iterator[Acrostic]:
    """First and last characters of Chinese lines; first letters and first words of English ones. `texts` are
    normalised lines in reading order, without such as hold no letters."""
    count = len(texts)
    if not _FEWEST <= count <= _MOST:
        return
    characters = [_CHARACTER.findall(text) for text in texts]
    words = [_WORD.findall(text) for text in texts]
    if all(len(line) > 1 for line in characters):
        yield Acrostic("".join(line[0] for line in characters), count, of_words=False)
        yield Acrostic("".join(line[-1] for line in characters), count, of_words=False)
    elif all(words) and not any(characters) and sum(map(len, words)) > count:
        if count >= _FEWEST_LETTERS:
            letters = "".join(line[0][0] for line in words)
            several = " ".join(wordninja.split(letters)) if count >= _SEVERAL else letters
            yield Acrostic(several, count, of_words=False)
        if count >= _FEWEST_WORDS:
            yield Acrostic(" ".join(line[0] for line in words), count, of_words=True)
