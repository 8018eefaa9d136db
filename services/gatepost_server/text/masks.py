"""Words of which some characters are hidden behind stars: 傻*, 砍*你, m*r*n."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from gatepost_server.text.characters import HAN, is_han

_LONGEST = 14  # characters of a word that is looked for
_LETTERS = re.compile(r"(?<![a-z0-9*])[a-z*]{3,14}(?![a-z0-9*])")
_CHARACTERS = re.compile(rf"[{HAN}*]{{2,}}")
_SHORT = 2  # characters: one is hidden, and the other must tell enough

Found = tuple[int, int, int]  # start, place, end


class MaskedWords:
    """Finds words by the characters that are left, where these are half of them at least."""

    def __init__(self, words: Iterable[tuple[str, int]], telling: frozenset[str]) -> None:
        """Words are all of Chinese characters or all of Latin letters. `telling` are Chinese characters that begin
        hardly anything harmless: one of them and a star are enough for a word of two."""
        self._telling = telling
        self._places: dict[int, int] = {}
        self._by_letter: defaultdict[tuple[int, int, str], set[int]] = defaultdict(set)
        self._lengths: set[int] = set()
        for number, (word, place) in enumerate(words):
            if not _SHORT <= len(word) <= _LONGEST:
                continue
            self._places[number] = place
            if is_han(word[0]):
                self._lengths.add(len(word))
            for position, letter in enumerate(word):
                self._by_letter[len(word), position, letter].add(number)

    def find(self, text: str) -> Iterator[Found]:
        """Where `text` shows a word masked; for one mask the word that was given first."""
        if "*" not in text:
            return
        for match in _LETTERS.finditer(text):
            yield from self._look_up(match.group(), match.start())
        for match in _CHARACTERS.finditer(text):
            run = match.group()
            for star in (place for place, character in enumerate(run) if character == "*"):
                for length in self._lengths:
                    for start in range(max(0, star - length + 1), min(star, len(run) - length) + 1):
                        yield from self._look_up(run[start : start + length], match.start() + start)

    def _look_up(self, masked: str, start: int) -> Iterator[Found]:
        shown = [(position, letter) for position, letter in enumerate(masked) if letter != "*"]
        if len(shown) == len(masked) or 2 * len(shown) < len(masked):
            return
        if len(shown) < _SHORT and not (shown[0][0] == 0 and shown[0][1] in self._telling):
            return
        sets = [self._by_letter.get((len(masked), *one)) for one in shown]
        if all(sets):
            candidates = set.intersection(*(one for one in sets if one))
            if candidates:
                yield start, self._places[min(candidates)], start + len(masked)
