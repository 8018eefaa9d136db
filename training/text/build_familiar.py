"""Build what is familiar in ordinary text, beside the word lists in model_repository/text_toxicity/1/lexicons.

    python -m training.text.build_familiar --data DATA

familiar.npz: pairs of neighbouring characters in jieba's words (MIT), and in inoffensive comments, everyday messages
and kind lines. abbreviations.txt: words in Latin letters in those texts. telling.txt: characters that begin entries of
two, and hardly anything in kind lines. Run it after build_lexicons; the same data give the same files.
"""

from __future__ import annotations

import argparse
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import jieba
import numpy as np

from gatepost_server.text.characters import is_han
from gatepost_server.text.familiar import PAIRS, TELLING, WORDS, bits
from gatepost_server.text.lexicon import Lexicon, Strength, read_lexicon
from gatepost_server.text.normalize import compact, normalize
from gatepost_server.text.pinyin import initials
from training.text import compose, data
from training.text.build_lexicons import OUT

_FEWEST = 20  # times that a word occurs in jieba's corpus; the rest are names and slips
_TWICE = 2  # times that a pair occurs in comments and messages, for people disguise there, too
_OFTEN = 20  # times that initials of an entry occur in comments and messages, if they mean something else there
_KIND_AT_MOST = 10  # times that a telling character occurs in kind lines for each entry of two that begins with it
_LATIN = re.compile(r"(?<![a-z0-9])[a-z]{1,8}(?![a-z0-9])")


def _kind() -> list[str]:
    """Written kind cards but those held out, as the lexicon sees them."""
    cards = (card for card in data.written() if card.category is None and not card.is_held_out)
    return [compact(normalize(" ".join(card.lines))) for card in cards]


def _composed() -> list[str]:
    return [compact(normalize(one.text)) for one in compose.kind_examples(random.Random(1), 10_000, held=False)]


def _public(folder: Path) -> list[str]:
    comments = (text for text, label in data.read_cold(folder) if not label)
    return [compact(normalize(text)) for text in (*data.read_zh_messages(folder), *comments)]


def _pairs(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from (first + second for first, second in pairwise(text) if is_han(first) and is_han(second))


def _telling(lexicon: Lexicon, kind: Iterable[str]) -> list[str]:
    common = Counter("".join(kind))
    own = [entry.term for entry in lexicon.entries if entry.source == "gatepost"]
    first = Counter(term[0] for term in own if len(term) == 2 and all(map(is_han, term)))
    return sorted(character for character, count in first.items() if common[character] <= _KIND_AT_MOST * count)


def _latin(lexicon: Lexicon, kind: Iterable[str], public: Iterable[str]) -> list[str]:
    """Words that kind lines use, and those that others use often unless they may be an entry's initials."""
    strong = [entry.term for entry in lexicon.entries if entry.strength is Strength.STRONG]
    listed = {*strong, *(initials(term) for term in strong if all(map(is_han, term)))}
    often = Counter(word for text in public for word in _LATIN.findall(text))
    others = {word for word, count in often.items() if count >= (_OFTEN if word in listed else 1)}
    return sorted(({word for text in kind for word in _LATIN.findall(text)} | others) - set(strong))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    folder = parser.parse_args().data
    lexicon, kind, composed, public = read_lexicon(OUT), _kind(), _composed(), _public(folder)
    jieba.initialize()
    words = (word for word, count in jieba.dt.FREQ.items() if count >= _FEWEST)
    often = {pair for pair, count in Counter(_pairs(public)).items() if count >= _TWICE}
    seen = often | set(_pairs((*words, *kind, *composed)))
    np.savez_compressed(OUT / PAIRS, seen=bits(seen))
    latin, telling = _latin(lexicon, (*kind, *composed), public), _telling(lexicon, kind)
    (OUT / WORDS).write_text("\n".join(latin) + "\n", encoding="utf-8")
    (OUT / TELLING).write_text("\n".join(telling) + "\n", encoding="utf-8")
    print(len(seen), "pairs,", len(latin), "Latin words,", "".join(telling))


if __name__ == "__main__":
    main()
