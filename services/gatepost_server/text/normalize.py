"""One spelling for text that was written to get past a filter.

Order of the passes: compatibility forms and invisible characters (Unicode NFKC), traditional to
simplified characters (OpenCC), look-alike letters of other alphabets (Unicode TR39), signs that hide a character,
characters taken apart or split by separators, leet digits, long repetitions. The result is for machines to compare, not
for people to read.
"""

from __future__ import annotations

import functools
import re
import unicodedata

import wordninja
from opencc import OpenCC

from gatepost_server.text.characters import HAN, drop_invisible, lookalikes
from gatepost_server.text.components import put_together
from gatepost_server.text.pinyin import split_syllables

# One pass can make work for another (a joined word may be leet); real text settles after two.
_MAX_PASSES = 6

# Signs that stand for a hidden character become "*": "傻×", "你是废○". Which character it is, the lexicon may know.
_HIDING = re.compile(rf"(?<=[{HAN}])[×✕✖╳○◯●□■*]+|[×✕✖╳□■]+(?=[{HAN}])")
_GLUE = r"[._~|\\/+·•^`'\"=<>@#&-]"  # never ends a phrase between two Chinese characters
_HAN_GLUE = re.compile(rf"(?<=[{HAN}]){_GLUE}{{1,3}}(?=[{HAN}])")
# Single Chinese characters, each on its own: "新 年 快 乐", "傻，逼".
_HAN_SINGLES = re.compile(rf"(?<![{HAN}])(?:[{HAN}][\s.,;:!?。、…*_~|\\/+·•^`'\"=<>@#&-]{{1,3}})+[{HAN}](?![{HAN}])")
_STARRED = re.compile(rf"[{HAN}](?:\*+[{HAN}])+")
_FEWEST_STARRED = 4  # characters between stars that must be splitting; fewer may have others hidden between them
_NOT_HAN = re.compile(rf"[^{HAN}]")

_LATIN_SINGLES = re.compile(
    # Stars may hide letters ("m*r*n"), unless there are many of them.
    r"(?<![a-z0-9@$*])(?:(?:[a-z0-9@$][._|/+·-]{1,2})+|(?:[a-z0-9@$][\s._|/+·-]{1,2}){2,}|(?:[a-z0-9@$]\*{1,2}){3,})"
    r"[a-z0-9@$](?![a-z0-9@$*])"
)
_LATIN_SEPARATOR = re.compile(r"[\s.*_|/+·-]")
_WORDS_IN_ROW = range(6, 60)  # letters, each on its own, that may be several words

_SHORT_WORD = re.compile("a|i|an|at|do|go|he|if|in|is|it|me|my|no|of|on|or|so|to|up|us|we")

_WORD = re.compile(r"[^\W\d_]+")
# At most 60 characters on both sides of a letter: without a limit, time grows with the square of a long word.
_LEET_TOKEN = re.compile(r"(?<![a-z0-9@$!|.])[a-z0-9@$!|]{0,60}[a-z][a-z0-9@$!|]{0,60}(?![@.]?[a-z0-9])")
_LEET_DIGITS = str.maketrans("013457", "oieast")
_ORDINARY_NUMBER = re.compile(r"\d+[a-z]{1,3}|[a-z]+\d+")  # 10pm, 1st, covid19
_INNER_SIGN = re.compile(r"(?<=[a-z])[!|](?=[a-z])")
_INNER_AT = re.compile(r"(?<=[a-z])@(?=[a-z])|^@(?=ss)")
_PRICE = re.compile(r"\$\d")

_HAN_REPEAT = re.compile(rf"([{HAN}])\1{{2,}}")
_LATIN_RUN = re.compile(r"[a-z]{4,}")
_LATIN_REPEAT = re.compile(r"([a-z])\1{2,}")
_SIGN_REPEAT = re.compile(r"([^\w\s*])\1{2,}")
_SPACES = re.compile(r"\s+")


@functools.cache
def _simplifier() -> OpenCC:
    return OpenCC("t2s")


def simplify(text: str) -> str:
    """Traditional Chinese characters as simplified ones."""
    return str(_simplifier().convert(text))


def normalize(text: str) -> str:
    """The comparable form of `text`: lower case, simplified, without disguises; never raises.

    Idempotent. At most 18 characters for each one of the input (Unicode's longest compatibility form).
    """
    for _ in range(_MAX_PASSES):
        settled = _normalize_once(text)
        if settled == text:
            break
        text = settled
    return text


def compact(normalized: str) -> str:
    """A normalised text without spaces at Chinese characters, so that a phrase cannot hide in two halves."""
    return _HAN_SPACE.sub("", normalized)


_HAN_SPACE = re.compile(rf"(?<=[{HAN}])\s+|\s+(?=[{HAN}])")


def _normalize_once(text: str) -> str:
    text = drop_invisible(unicodedata.normalize("NFKD", text))
    text = unicodedata.normalize("NFKC", text).casefold()
    text = simplify(text)
    text = _WORD.sub(_unmask_lookalikes, text)
    text = _HIDING.sub(lambda match: "*" * len(match.group()), text)
    text = _HAN_GLUE.sub("", text)
    text = _HAN_SINGLES.sub(_join_characters, text)
    text = put_together(text, sure=True)
    text = _LATIN_SINGLES.sub(_join_letters, text)
    text = _LEET_TOKEN.sub(_unleet, text)
    text = _HAN_REPEAT.sub(r"\1\1", text)
    text = _LATIN_RUN.sub(_shorten, text)
    text = _SIGN_REPEAT.sub(r"\1", text)
    return _SPACES.sub(" ", text).strip()


def _join_characters(match: re.Match[str]) -> str:
    """Chinese characters that were apart; stars stay where what they hide may be a character."""
    text = match.group()
    joined = _NOT_HAN.sub("", text)
    return text if _STARRED.fullmatch(text) and len(joined) < _FEWEST_STARRED else joined


def _join_letters(match: re.Match[str]) -> str:
    """Letters that were apart as a word, or as the words that they make: nothing tells where one ends."""
    joined = _LATIN_SEPARATOR.sub("", match.group())
    if len(joined) not in _WORDS_IN_ROW or not joined.isalpha() or split_syllables(joined):
        return joined
    words = wordninja.split(joined)
    if joined[0] in "ai" and len(words) > 1:  # an article: "what a m o r o n"
        words = min([joined[0], *wordninja.split(joined[1:])], words, key=len)
    return " ".join(words) if all(len(word) > 2 or _SHORT_WORD.fullmatch(word) for word in words) else joined


def _unmask_lookalikes(match: re.Match[str]) -> str:
    """Spell a word in ASCII if it mixes alphabets or looks wholly Latin; leave honest Russian or Greek alone."""
    word = match.group()
    if word.isascii():
        return word
    spelled = word.translate(lookalikes())
    mixed = any(character.isascii() for character in word)
    return spelled if mixed or (spelled.isascii() and len(word) > 1) else word


def _unleet(match: re.Match[str]) -> str:
    token = match.group()
    if token.isalpha():
        return token
    if _PRICE.search(token):
        return token
    token = _INNER_AT.sub("a", _INNER_SIGN.sub("i", token)).replace("$", "s")
    return token if _ORDINARY_NUMBER.fullmatch(token) else token.translate(_LEET_DIGITS)


def _shorten(match: re.Match[str]) -> str:
    """Undo stretched letters ("fuuuuck") but leave a word of one letter ("xxxx") alone."""
    word = match.group()
    return word if len(set(word)) == 1 else _LATIN_REPEAT.sub(r"\1", word)
