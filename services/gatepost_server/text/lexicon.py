"""Word lists: which entries occur in a text, as written, masked, as they sound, or as their pinyin initials."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import ahocorasick

from gatepost_server.domain.labels import Category
from gatepost_server.text.characters import HAN, is_han
from gatepost_server.text.components import put_together
from gatepost_server.text.entries import Entry, Form, Match, Strength
from gatepost_server.text.familiar import Familiar, read_familiar
from gatepost_server.text.heard import Heard
from gatepost_server.text.masks import MaskedWords
from gatepost_server.text.normalize import compact

__all__ = ["Entry", "Form", "Lexicon", "Match", "Strength", "read_lexicon"]

_VOWEL = re.compile("[aeiou]")
_MASK = re.compile(r"(?<=[a-z*#%])[#%_]+|[#%]+(?=[a-z*])")
_MASK_RUN = re.compile(r"(?<=[a-z])[*#%_]+")
_INNER_SEPARATOR = re.compile(r"(?<=[a-z])[*._\-~|]+(?=[a-z])")
_STARS_BETWEEN = re.compile(rf"(?<=[{HAN}])\*+(?=[{HAN}])")
_DIGITS_FOR_LETTERS = str.maketrans("013457", "oieast")
_WEAK_MASKED = 4  # letters, or two Chinese characters, of a weak entry that nobody would hide but for what it is


class Lexicon:
    """Finds entries in normalised text (Aho-Corasick); `exceptions` are harmless words that hold one."""

    def __init__(
        self, entries: Iterable[Entry], exceptions: Iterable[str] = (), familiar: Familiar | None = None
    ) -> None:
        """Without `familiar` nothing is guessed."""
        self.entries = tuple(entries)
        places = list(enumerate(self.entries))
        self._written = _automaton((spelling, place) for place, entry in places for spelling in _spellings(entry))
        self._masked = MaskedWords(_maskable(places), familiar.telling if familiar else frozenset())
        self._heard = Heard(places, familiar)
        harmless = tuple(exceptions)
        self._exceptions = _automaton((text, 0) for text in harmless)
        content = repr((self.entries, harmless, familiar and familiar.version)).encode()
        self.version = hashlib.sha256(content).hexdigest()[:12]

    def find(self, normalized: str) -> list[Match]:
        """Distinct matches, those as written first; others count only in categories without a strong one of those."""
        text = compact(normalized)
        matches = self.written(normalized)
        written = {match.entry for match in matches}
        known = {match.entry.category for match in matches if match.entry.strength is Strength.STRONG}
        # Strong entries as they are written say no more by their sound; where an exception hides them, nothing at all.
        strong = (span for span in _spans(self._written, text) if self.entries[span[1]].strength is Strength.STRONG)
        spans = [(start, end) for start, _, end in (*_spans(self._exceptions, text), *strong)]
        heard = sorted(set(self._heard.find(text, spans)))
        others = [Match(self.entries[place], form) for place, form in heard if self.entries[place] not in written]
        return matches + [match for match in others if match.entry.category not in known]

    def written(self, normalized: str) -> list[Match]:
        """Those of `find` that are as written or masked; much faster, for long text."""
        text = compact(normalized)
        written = sorted({place for view in _views(text) for place in self._find_written(view)})
        matches = [Match(self.entries[place], Form.WRITTEN) for place in written]
        hidden = {place for _, place, _ in self._masked.find(_MASK.sub(_stars, text))} - set(written)
        return matches + [
            Match(replace(self.entries[place], strength=Strength.STRONG), Form.WRITTEN) for place in sorted(hidden)
        ]

    def _find_written(self, text: str) -> Iterator[int]:
        harmless = _spans(self._exceptions, text)
        for start, place, end in _spans(self._written, text):
            if _whole(text, start, end) and not any(a <= start and end <= b for a, _, b in harmless):
                yield place


def read_lexicon(folder: Path, categories: Iterable[Category] = tuple(Category)) -> Lexicon:
    """A lexicon from <category>.tsv files (term, strength, sounds, source), exceptions.txt and what is familiar."""
    entries = [entry for category in categories for entry in _read_entries(folder / f"{category}.tsv", category)]
    exceptions = folder / "exceptions.txt"
    lines = exceptions.read_text(encoding="utf-8").splitlines() if exceptions.exists() else []
    exempt = (line for line in lines if line and not line.startswith("#"))
    return Lexicon(entries, exempt, read_familiar(folder))


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


def _maskable(places: Iterable[tuple[int, Entry]]) -> list[tuple[str, int]]:
    """Words of one script, the strong ones first; weak ones of ours only where they are long or Chinese pairs."""
    words = [(compact(entry.term), place, entry) for place, entry in places]
    plain = [one for one in words if all(map(is_han, one[0])) or (one[0].isascii() and one[0].isalpha())]
    strong = [(term, place) for term, place, entry in plain if entry.strength is Strength.STRONG]
    weak = [
        (term, place)
        for term, place, entry in plain
        if entry.strength is Strength.WEAK
        and entry.source == "gatepost"
        and (len(term) >= _WEAK_MASKED if term.isascii() else len(term) == 2)
    ]
    return strong + weak


def _stars(match: re.Match[str]) -> str:
    return "*" * len(match.group())


def _views(text: str) -> Iterable[str]:
    """A text as it is, and as it may be meant: without signs inside words, parts put together, digits as letters."""
    return dict.fromkeys(
        (
            text,
            _MASK_RUN.sub("*", text),
            _INNER_SEPARATOR.sub("", text),
            _STARS_BETWEEN.sub("", text),
            put_together(text, sure=False),
            text.translate(_DIGITS_FOR_LETTERS),
        )
    )


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
