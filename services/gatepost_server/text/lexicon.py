"""Word lists: which entries occur in a text, as written, masked, as they sound, or as their pinyin initials."""

from __future__ import annotations

import csv
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import ahocorasick

from gatepost_server.domain.labels import Category
from gatepost_server.text.characters import is_han
from gatepost_server.text.normalize import compact
from gatepost_server.text.pinyin import initials, sound

_VOWEL = re.compile("[aeiou]")
_MASK_RUN = re.compile(r"(?<=[a-z])[*#%_]+")
# A word that can hardly be English: initials stand in kind cards, too (生日快乐 as "srkl"), but few are an entry's.
_INITIALS = re.compile(r"(?<![a-z0-9*])[b-df-hj-np-tv-xz]{4,}(?![a-z0-9*])")
_INNER_SEPARATOR = re.compile(r"(?<=[a-z])[*._\-~|]+(?=[a-z])")


class Strength(StrEnum):
    """STRONG: nothing else can be meant. WEAK: often harmless; only a hint for the classifier."""

    STRONG = "strong"
    WEAK = "weak"


class Form(StrEnum):
    """How an entry was found: as written or masked, only by its sound or by the first letters of its syllables, or
    by little of either, where that stands for nothing familiar."""

    WRITTEN = "written"
    SOUND = "sound"
    INITIALS = "initials"
    GUESSED = "guessed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One word or phrase, normalised. `sounds` lets homophones and pinyin spellings match too."""

    term: str
    category: Category
    strength: Strength
    sounds: bool
    source: str


@dataclass(frozen=True, slots=True)
class Match:
    """One entry found in a text."""

    entry: Entry
    form: Form


class Lexicon:
    """Finds entries in normalised text (Aho-Corasick); `exceptions` are harmless words that hold one."""

    def __init__(self, entries: Iterable[Entry], exceptions: Iterable[str] = ()) -> None:
        self.entries = tuple(entries)
        places = list(enumerate(self.entries))
        self._written = _automaton((spelling, place) for place, entry in places for spelling in _spellings(entry))
        self._sounds = _automaton((sound(entry.term), place) for place, entry in places if entry.sounds)
        self._initials = _by_initials(places)
        harmless = tuple(exceptions)
        self._exceptions = _automaton((text, 0) for text in harmless)
        content = repr((self.entries, harmless)).encode()
        self.version = hashlib.sha256(content).hexdigest()[:12]

    def find(self, normalized: str) -> list[Match]:
        """Distinct matches, those as written first; others count only in categories without a strong one of those."""
        text = compact(normalized)
        views = dict.fromkeys((text, _MASK_RUN.sub("*", text), _INNER_SEPARATOR.sub("", text)))
        written = sorted({place for view in views for place in self._find_written(view)})
        matches = [Match(self.entries[place], Form.WRITTEN) for place in written]
        known = {match.entry.category for match in matches if match.entry.strength is Strength.STRONG}
        heard = sorted({place for _, place, _ in _spans(self._sounds, sound(text))} - set(written))
        others = [Match(self.entries[place], Form.SOUND) for place in heard]
        others += [Match(self.entries[place], Form.INITIALS) for place in sorted(self._find_initials(text))]
        return matches + [match for match in others if match.entry.category not in known]

    def _find_written(self, text: str) -> Iterator[int]:
        harmless = _spans(self._exceptions, text)
        for start, place, end in _spans(self._written, text):
            if _whole(text, start, end) and not any(a <= start and end <= b for a, _, b in harmless):
                yield place

    def _find_initials(self, text: str) -> set[int]:
        words = set(_INITIALS.findall(text)) & self._initials.keys()
        return {place for word in words if word not in self._exceptions for place in self._initials[word]}


def read_lexicon(folder: Path) -> Lexicon:
    """A lexicon from <category>.tsv files (term, strength, sounds, source) and exceptions.txt."""
    entries = [entry for category in Category for entry in _read_entries(folder / f"{category}.tsv", category)]
    exceptions = folder / "exceptions.txt"
    lines = exceptions.read_text(encoding="utf-8").splitlines() if exceptions.exists() else []
    return Lexicon(entries, (line for line in lines if line and not line.startswith("#")))


def _read_entries(path: Path, category: Category) -> Iterator[Entry]:
    if not path.exists():
        return
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield Entry(row["term"], category, Strength(row["strength"]), row["sounds"] == "1", row["source"])


def _spellings(entry: Entry) -> Iterator[str]:
    """The term itself, and for a strong Latin word its usual masked forms ("f*ck", "f*k", "f*")."""
    term = compact(entry.term)
    yield term
    if entry.strength is Strength.STRONG and term.isascii() and term.isalpha() and len(term) >= 4:
        yield _VOWEL.sub("*", term, count=1)
        yield f"{term[0]}*{term[-1]}"
        yield f"{term[0]}*{term[-2:]}"


def _by_initials(places: Iterable[tuple[int, Entry]]) -> dict[str, list[int]]:
    """Strong Chinese entries by their initials, where these are a word that `_INITIALS` finds."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for place, entry in places:
        if entry.strength is Strength.STRONG and all(map(is_han, entry.term)):
            first = initials(entry.term)
            if len(first) == len(entry.term) and _INITIALS.fullmatch(first):
                found[first].append(place)
    return dict(found)


def _automaton(words: Iterable[tuple[str, int]]) -> ahocorasick.Automaton:
    automaton = ahocorasick.Automaton()
    for word, place in words:
        if word and word not in automaton:
            automaton.add_word(word, (len(word), place))
    automaton.make_automaton()
    return automaton


def _spans(automaton: ahocorasick.Automaton, text: str) -> Sequence[tuple[int, int, int]]:
    """(start, place, end) of every occurrence."""
    if not len(automaton):
        return ()
    return [(last + 1 - length, place, last + 1) for last, (length, place) in automaton.iter(text)]


def _whole(text: str, start: int, end: int) -> bool:
    """Whether a match that begins or ends in a Latin letter or digit does so at the edge of a word."""
    return not (_joins(text, start - 1, start) or _joins(text, end - 1, end))


def _joins(text: str, left: int, right: int) -> bool:
    if left < 0 or right >= len(text):
        return False
    return _latin(text[left]) and _latin(text[right])


def _latin(character: str) -> bool:
    return character.isascii() and (character.isalnum() or character == "*")
