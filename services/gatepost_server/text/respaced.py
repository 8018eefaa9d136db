"""English whose spaces are not where they should be, in words again.

Letters set far apart come out of OCR as one word or in odd pieces: "h o p e  you  r o t" as "hopeyourot", "g o n n a
k i l l" as "gonnak i ll". The words are the likeliest by how often each is used (wordninja, a unigram model).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

import wordninja

from gatepost_server.text.pinyin import split_syllables

_LETTERS = range(6, 60)  # fewer may be anything; more are not one line
_RUN_TOGETHER, _WORDS_WITHIN = 9, 3  # a token of so many letters, and the words that it holds
_TOKEN = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_SHORT_WORD = re.compile(
    "a|i|ah|am|an|as|at|be|by|do|go|ha|he|hi|ho|if|in|is|it|me|my|no|of|oh|ok|on|or|so|to|up|us|we|u|ur"
)
# Foreign and rare words fall to pieces that are words, too ("cumpleanos"); sentences hold one of these.
_LINKING_WORD = re.compile(
    "a|all|am|and|are|be|for|go|he|her|him|i|in|is|it|just|like|me|my|no|not|of|on|or|our|she|so|the|their|them|they|this"
    "|to|u|up|ur|us|was|we|who|will|with|you|your|yourself|youre"
)


@functools.lru_cache(4_096)
def respaced(normalized: str) -> str | None:
    """A normalised text with its spaces where words end; None where they are there already, or no words are known.

    Pinyin stays as it is, and so does a text with letters of other alphabets.
    """
    tokens = _TOKEN.findall(normalized)
    joined = "".join(tokens).replace("'", "")
    if len(joined) not in _LETTERS or not joined.isascii() or split_syllables(joined):
        return None
    if _in_pieces(tokens):
        words = wordninja.split(joined)
    elif any(map(_runs_together, tokens)):
        words = [word for token in tokens for word in (wordninja.split(token) if _runs_together(token) else [token])]
    else:
        return None
    return " ".join(words) if all(_is_word(word) for word in words if "'" not in word) else None


def _in_pieces(tokens: Sequence[str]) -> bool:
    """Whether words were cut: two pieces that are none, one of them short."""
    strange = [token for token in tokens if not _is_word(token)]
    return len(strange) >= 2 and any(len(token) < 3 for token in strange)


def _runs_together(token: str) -> bool:
    if len(token) < _RUN_TOGETHER or not token.isascii():
        return False
    words = wordninja.split(token)
    linking = [word for word in words if _LINKING_WORD.fullmatch(word)]
    return len(words) >= _WORDS_WITHIN and (len(linking) >= 2 or any(len(word) > 2 for word in linking))


def _is_word(token: str) -> bool:
    if len(token) < 3:
        return _SHORT_WORD.fullmatch(token) is not None
    return len(wordninja.split(token)) == 1
