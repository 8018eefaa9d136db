"""Entries by how they sound or begin: homophones, pinyin, and the first letters of syllables, whole or in part.

Entries whose sound is nothing else's are told by it alone. All others are guessed, and only where what is written is
unfamiliar: characters that make no word with their neighbours, pinyin and letters amid Chinese text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

import ahocorasick

from gatepost_server.text.characters import count_han, is_han
from gatepost_server.text.entries import Entry, Form, Strength
from gatepost_server.text.familiar import Familiar
from gatepost_server.text.pinyin import Unit, initials, sound, spoken, syllables, units

# A word that can hardly be English: initials stand in kind cards, too (生日快乐 as "srkl"), but few are an entry's.
_INITIALS = re.compile(r"(?<![a-z0-9*])[b-df-hj-np-tv-xz]{4,}(?![a-z0-9*])")
_LETTERS = re.compile(r"(?<![a-z0-9*@#])[a-z]{1,8}(?![a-z0-9*@])")
_NO_VOWELS = re.compile(r"[b-df-hj-np-tv-z]{3,}")
_FEWEST_LETTERS = 4  # of pinyin: "shab" could be anything
_SMALL_WORDS = "的了是我你他她它您们这那个一不都就也很真太和在去要给吧吗呢啊"
_LONGEST_TERM = 6  # characters of a guessed entry

Span = tuple[int, int]


class Heard:
    """Finds the places of entries by sound and initials."""

    def __init__(self, places: Sequence[tuple[int, Entry]], familiar: Familiar | None) -> None:
        self._familiar = familiar
        self._entries = dict(places)
        chinese = [(place, entry) for place, entry in places if _may_be_guessed(entry)]
        by_sound: dict[str, int] = {sound(entry.term): place for place, entry in reversed(places) if entry.sounds}
        by_letters: dict[str, list[int]] = {}
        self._guessed_letters: dict[str, int] = {}
        self._mixed: dict[str, int] = {}
        for place, entry in chinese:
            first = initials(entry.term)
            if _INITIALS.fullmatch(first):
                by_letters.setdefault(first, []).append(place)
            if familiar is not None and len(entry.term) <= _LONGEST_TERM:
                by_sound.setdefault(sound(entry.term), place)
                self._guessed_letters.setdefault(first, place)
                for cut in range(1, len(entry.term)):
                    self._mixed.setdefault(entry.term[:cut] + first[cut:], place)
                    self._mixed.setdefault(first[:cut] + entry.term[cut:], place)
        self._letters = by_letters
        self._sounds = ahocorasick.Automaton()
        for spelling, place in by_sound.items():
            self._sounds.add_word(spelling, (spelling.count(" ") - 1, place))
        self._sounds.make_automaton()

    def find(self, text: str, harmless: Sequence[Span]) -> Iterator[tuple[int, Form]]:
        """Places and forms in a normalised, compact text. `harmless` are spans that say nothing by their sound."""
        yield from self._by_sound(text, harmless)
        for match in _INITIALS.finditer(text):
            if match.span() not in harmless:
                yield from ((place, Form.INITIALS) for place in self._letters.get(match.group(), ()))
        if self._familiar is not None:
            for match in _LETTERS.finditer(text):
                if match.span() not in harmless and match.group() not in self._familiar.latin:
                    yield from ((place, Form.GUESSED) for place in self._by_letters(text, match, self._familiar))

    def _by_sound(self, text: str, harmless: Sequence[Span]) -> Iterator[tuple[int, Form]]:
        if not len(self._sounds):
            return
        heard = units(text)
        ends = list(accumulate((len(unit.sound) + 1 for unit in heard), initial=0))
        for last, (count, place) in self._sounds.iter(spoken(heard)):
            after = bisect_right(ends, last) - 1
            part = heard[after - count : after]
            start, end = part[0].start, part[-1].end
            if any(a <= start and end <= b for a, b in harmless):
                continue
            if self._entries[place].sounds:
                yield place, Form.SOUND
            elif self._familiar is not None and _is_disguise(
                self._entries[place], heard, after - count, after, text, self._familiar
            ):
                yield place, Form.GUESSED

    def _by_letters(self, text: str, match: re.Match[str], familiar: Familiar) -> Iterator[int]:
        """Entries of which a word is the initials, together with the Chinese characters beside it or alone."""
        word, (start, end) = match.group(), match.span()
        before, after = text[max(0, start - 3) : start], text[end : end + 3]
        for some in (1, 2, 3):
            for beside, spelling in ((before[-some:], before[-some:] + word), (after[:some], word + after[:some])):
                if (
                    len(beside) == some
                    and (some + len(word) > 2 or beside in familiar.telling)
                    and spelling in self._mixed
                ):
                    yield self._mixed[spelling]
        amid = any(map(is_han, before[-1:] + after[:1]))
        if (len(word) >= 2 and amid) or (word == text.strip(" !.?") and _NO_VOWELS.fullmatch(word)):
            yield from self._in_row(word)

    def _in_row(self, word: str) -> list[int]:
        """Entries whose initials make up the whole of a word, one after another; none if they do not."""
        reached: dict[int, list[int]] = {0: []}
        for start in range(len(word)):
            if start in reached:
                for end in range(start + 2, len(word) + 1):
                    if word[start:end] in self._guessed_letters:
                        reached.setdefault(end, [*reached[start], self._guessed_letters[word[start:end]]])
        return reached.get(len(word), [])


def _may_be_guessed(entry: Entry) -> bool:
    return entry.strength is Strength.STRONG and len(entry.term) >= 2 and all(map(is_han, entry.term))


def _is_disguise(entry: Entry, heard: Sequence[Unit], first: int, after: int, text: str, familiar: Familiar) -> bool:
    part = heard[first:after]
    start, end = part[0].start, part[-1].end
    if not any(unit.latin for unit in part):
        return text[start:end] != entry.term and _is_unfamiliar(text, start, end, familiar)
    whole = (first == 0 or heard[first - 1].start != start) and (
        after == len(heard) or heard[after].start != part[-1].start
    )
    if not whole:
        return False
    if not all(unit.latin for unit in part):
        return all(unit.latin or text[unit.start] == own for unit, own in zip(part, entry.term, strict=True))
    letters = sum(len(unit.sound) for unit in part)
    spelled = {text[unit.start : unit.end] for unit in part}
    chinese = count_han(text) > 0 or all(unit.sound in syllables() for unit in heard if unit.latin)
    return letters >= _FEWEST_LETTERS and chinese and not spelled <= familiar.latin


def _is_unfamiliar(text: str, start: int, end: int, familiar: Familiar) -> bool:
    """Whether these characters never stand together in ordinary text, and make no word with those around them."""
    if any(familiar.is_seen_pair(a + b) for a, b in pairwise(text[start:end])):
        return False
    before, after = text[max(0, start - 1) : start], text[end : end + 1]
    if _says_something(before) and familiar.is_seen_pair(before + text[start]):
        return False
    return not (_says_something(after) and familiar.is_seen_pair(text[end - 1] + after))


def _says_something(character: str) -> bool:
    """Whether it is a Chinese character that may be part of a word; small words stand beside everything."""
    return bool(character) and is_han(character) and character not in _SMALL_WORDS
