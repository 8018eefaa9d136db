"""How somebody speaks to the generator: signs of frustration and of abuse in their own messages.

Abuse is what the word lists of the text model call insult, hate or threat beyond doubt, as it is written or masked.
Frustration is one of the phrases below: what people say to a machine that got it wrong again. They are a small list of
ours, meant to be read; a phrase is here only if it says so without its context.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gatepost_server.domain.labels import Category
from gatepost_server.text.entries import Strength
from gatepost_server.text.lexicon import Lexicon, read_lexicon
from gatepost_server.text.normalize import compact, normalize

_CHINESE = (
    *("又错了", "又画错", "又写错", "怎么又", "还是不对", "还是错", "还是不行", "根本不对", "完全不对", "不是我要的"),
    *(
        "说了多少遍",
        "说了多少次",
        "说了几遍",
        "说了几次",
        "说过多少",
        "要我说几",
        "到底会不会",
        "能不能认真",
        "听不懂人话",
    ),
    *(
        "烦死",
        "气死我",
        "受不了",
        "太让人失望",
        "什么玩意",
        "搞什么",
        "有完没完",
        "浪费时间",
        "浪费我",
        "不想用了",
        "我要投诉",
    ),
)
_ENGLISH = (
    *("wrong again", "still wrong", "still not right", "not what i asked", "not what i wanted", "how many times"),
    *("i already told you", "i told you already", "i just told you", "for the last time", "are you even listening"),
    *(
        "cant you read",
        "can you not read",
        "fed up",
        "sick of this",
        "waste of time",
        "wasting my time",
        "this is ridiculous",
    ),
    *(
        "so frustrating",
        "so annoying",
        "i give up",
        "do it right",
        "get it right",
        "what is wrong with you",
        "come on already",
    ),
)
_FRUSTRATED = re.compile(
    "|".join([re.escape(phrase) for phrase in _CHINESE] + [rf"\b{re.escape(phrase)}\b" for phrase in _ENGLISH])
)
_ASKING = re.compile(r"[?？]{3,}")  # "???"; three exclamation marks may be joy

_ABUSE = (Category.INSULT, Category.HATE, Category.THREAT)

# What is looked at: the last messages, and the beginning of each. A limit, for a request may hold two million letters.
MOST_MESSAGES, MOST_LETTERS = 20, 500


@dataclass(frozen=True, slots=True)
class Temper:
    """What was found in somebody's messages."""

    frustration: bool = False
    abuse: bool = False


def read_abuse(folder: Path) -> Lexicon:
    """The word lists of abuse in `folder`, those of the text model. Raises OSError where there are none."""
    lexicon = read_lexicon(folder, _ABUSE)
    if not lexicon.entries:
        raise FileNotFoundError(f"there are no word lists in {folder}")
    return lexicon


def temper_of(messages: Sequence[str], lexicon: Lexicon | None) -> Temper:
    """Of one person's messages, oldest first. Without a lexicon abuse goes unseen."""
    lately = [message[:MOST_LETTERS] for message in messages[-MOST_MESSAGES:]]
    normalized = [normalize(message) for message in lately]
    frustrated = any(_ASKING.search(message) for message in lately)
    return Temper(
        frustration=frustrated or any(_FRUSTRATED.search(compact(text)) for text in normalized),
        abuse=lexicon is not None and any(_is_abuse(text, lexicon) for text in normalized),
    )


def _is_abuse(normalized: str, lexicon: Lexicon) -> bool:
    return any(
        match.entry.strength is Strength.STRONG and match.entry.category in _ABUSE
        for match in lexicon.written(normalized)
    )
