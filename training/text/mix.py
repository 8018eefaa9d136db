"""What the encoder sees in one epoch: public sets, messages, composed lines and hand-written cards.

Lines are disguised, joined and cut anew in every epoch. Held-out lines never appear; see `is_held_out`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from gatepost_server.text.characters import count_han
from gatepost_server.text.language import guess_language
from gatepost_server.text.lexicon import Lexicon
from gatepost_server.text.normalize import normalize
from gatepost_server.text.reading_order import join
from training.text import compose, data, perturb
from training.text.data import LEARNED, Example, Written

COMPOSED_KIND, COMPOSED_UNKIND = 2_500, 700  # fillings an epoch: a language's, a category's
WRITTEN_COPIES = 6  # of each hand-written card in an epoch
MESSAGES = 5_000  # of 27,000 Chinese messages
PERTURBED = 0.35  # part of the lines of public sets that come disguised
WHOLE, SHORT = 0.5, 40  # part of the lines of so many characters that are disguised wholly, as on a card
# The part of each set that one epoch sees, another in every epoch: comments are many, and cards are what is judged.
KEPT = {"cold": 0.3, "swsr": 0.25, "davidson": 0.15, "edos": 0.22, "sms_spam": 0.5}
# What a harmless label is worth in a category that a comment carries no label of, where no listed word stands.
ASSUMED = 0.2
UNLABELLED = 0.4  # what a message counts, for it is only taken to be harmless
_HELD_EVERY = 20  # public lines that are kept for combining and calibrating
_PIECE = re.compile(r"[\u4e00-\u9fff]|[^\s\u4e00-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Line:
    """A normalised text, its targets (k,) and what each of them weighs (k,); 0 where it is unknown."""

    text: str
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]
    kind: bool


def is_held_out(example: Example) -> bool:
    """Whether a line of a public set is kept from training, by a hash of its spelling."""
    return crc32(example.text.encode()) % _HELD_EVERY == 0


class Mix:
    """Epochs by seed."""

    def __init__(self, folder: Path, lexicon: Lexicon, read: Sequence[Example] = ()) -> None:
        """`folder` holds the public sets; `read` are lines as OCR read them."""
        self._lexicon = lexicon
        self._comments = [example for example in data.comments(folder) if not is_held_out(example)]
        self._messages = [
            Example(text, dict.fromkeys(LEARNED, 0.0), "sms")
            for text in data.read_zh_messages(folder)
            if not lexicon.find(normalize(text))
        ]
        self._messages = [example for example in self._messages if not is_held_out(example)]
        self._written = [card for card in data.written() if not card.is_held_out]
        self._kind = [card for card in self._written if card.category is None]
        self._read = list(read)
        self._table = perturb.homophones(example.text for example in self._comments)
        self._assumed: dict[str, NDArray[np.float32]] = {}

    def epoch(self, seed: int) -> list[Line]:
        """All lines of one epoch, in no order."""
        rng = random.Random(seed)
        examples = [*self._public(rng), *self._composed(rng), *self._cards(rng), *self._read]
        return [line for example in examples if (line := self._line(example)) is not None]

    def kind_pool(self, seed: int) -> list[Line]:
        """Many kind lines, to look for those that the encoder takes for something else. Messages stay out of it:
        nobody labelled them, and what looks unkind among them often is."""
        rng = random.Random(seed)
        composed = compose.kind_examples(rng, 3 * COMPOSED_KIND, held=False)
        joined = [Example(self._with_others(rng, card), card.labels, "kind") for card in self._kind for _ in range(3)]
        return [line for example in [*composed, *joined] if (line := self._line(example)) is not None]

    def _public(self, rng: random.Random) -> Iterator[Example]:
        for example in [*self._comments, *rng.sample(self._messages, min(MESSAGES, len(self._messages)))]:
            if rng.random() < KEPT.get(example.source, 1.0):
                disguised = rng.random() < PERTURBED
                yield replace(example, text=self._disguised(rng, example.text)) if disguised else example

    def _composed(self, rng: random.Random) -> Iterator[Example]:
        yield from compose.kind_examples(rng, COMPOSED_KIND, held=False)
        for example in compose.unkind_examples(rng, COMPOSED_UNKIND, held=False):
            roll = rng.random()
            if roll < 0.2:
                yield replace(example, text=self._disguised(rng, example.text))
            elif roll < 0.4:
                yield replace(example, text=self._with_others(rng, Written((example.text,), None)))
            else:
                yield example

    def _cards(self, rng: random.Random) -> Iterator[Example]:
        for card in self._written:
            source = "kind" if card.category is None else "written"
            for copy in range(WRITTEN_COPIES):
                text = join(card.lines, range(len(card.lines)))
                if copy:
                    text = self._varied(rng, card, text)
                yield Example(text, card.labels, source)

    def _varied(self, rng: random.Random, card: Written, text: str) -> str:
        roll = rng.random()
        if roll < 0.35:
            return self._with_others(rng, card)
        if roll < 0.45:
            return perturb.misread(rng, text)
        if card.category is None:
            if roll < 0.6:
                return rng.choice(card.lines)
            if roll < 0.7:
                return _cut(rng, text)
            return self._disguised(rng, text) if roll < 0.8 else text
        return self._disguised(rng, text) if roll < 0.6 else text

    def _with_others(self, rng: random.Random, card: Written) -> str:
        return among(rng, card, self._kind)

    def _disguised(self, rng: random.Random, text: str) -> str:
        return disguised(rng, text, self._lexicon, self._table)

    def _line(self, example: Example) -> Line | None:
        text = normalize(example.text)
        if not text:
            return None
        targets = np.array([example.labels.get(category, 0.0) for category in LEARNED], np.float32)
        weights = np.array([float(category in example.labels) for category in LEARNED], np.float32)
        if example.source == "sms":
            weights *= UNLABELLED
        if not weights.all() and not example.source.startswith(("unkind", "written")):
            weights = np.maximum(weights, self._harmless(text))
        return Line(text, targets, weights, kind=example.source in ("kind", "sms"))

    def _harmless(self, text: str) -> NDArray[np.float32]:
        if text not in self._assumed:
            listed = {match.entry.category for match in self._lexicon.find(text)}
            abuse = {data.INSULT, data.HATE}
            free = [0.0 if category in abuse or category in listed else ASSUMED for category in LEARNED]
            self._assumed[text] = np.array(free, np.float32)
        return self._assumed[text]


def among(rng: random.Random, card: Written, kind: Sequence[Written]) -> str:
    """The card's lines among one to three lines of kind cards in its language, read together."""
    language = guess_language(card.lines[0])
    others: list[str] = []
    for other in rng.sample(kind, min(12, len(kind))):
        if guess_language(other.lines[0]) == language and len(others) < rng.choice((1, 1, 2, 3)):
            others += other.lines
    place = rng.randint(0, len(others))
    lines = [*others[:place], *card.lines, *others[place:]]
    return join(lines, range(len(lines)))


def disguised(rng: random.Random, text: str, lexicon: Lexicon, table: perturb.Homophones) -> str:
    """Its listed words, all of a short text, or some words so that disguise alone means nothing, spelled as
    normalising leaves them."""
    if rng.random() < 0.15:
        return perturb.misread(rng, text)
    chinese = count_han(text) * 3 >= len(text)
    if len(text) <= SHORT and rng.random() < WHOLE:
        spans = perturb.content_spans(text)
    else:
        spans = _listed_spans(text, lexicon) if rng.random() < 0.8 else []
    if not spans:
        some = perturb.some_span(rng, text)
        spans = [some] if some is not None else []
    return perturb.apply(rng, text, spans, perturb.left_by_normalizing(rng, table, chinese=chinese))


def _listed_spans(text: str, lexicon: Lexicon) -> list[tuple[int, int]]:
    """Places of the listed words of two letters or more, the longest first where they overlap."""
    spans: list[tuple[int, int]] = []
    terms = [match.entry.term for match in lexicon.find(normalize(text)) if len(match.entry.term) > 1]
    for term in sorted(terms, key=len, reverse=True):
        start = text.lower().find(term)
        if start >= 0 and all(start + len(term) <= a or b <= start for a, b in spans):
            spans.append((start, start + len(term)))
    return sorted(spans)


def _cut(rng: random.Random, text: str) -> str:
    """A few neighbouring words or characters, as OCR finds them on curved and spaced lettering."""
    pieces = _PIECE.findall(text)
    chinese = count_han(text) > 0
    length = rng.randint(1, 5 if chinese else 3)
    start = rng.randrange(max(1, len(pieces) - length + 1))
    return ("" if chinese else " ").join(pieces[start : start + length])
