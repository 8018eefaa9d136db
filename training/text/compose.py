"""Short card-like lines, kind and unkind, composed from words/*.yaml. Seeded; no evaluation file is read.

Every word and whole line is either for training or held out, by a hash of its spelling, so a held-out
line has at least one word (or is a whole line) that training never saw in that place.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

import yaml

from gatepost_server.domain.labels import Category
from training.text.data import LEARNED, Example

WORDS = Path(__file__).parent / "words"
_SLOT = re.compile(r"{(\w+)}")
_HAN = re.compile("[\u4e00-\u9fff]")
_PIECE = re.compile(r"[\u4e00-\u9fff]|[^\s\u4e00-\u9fff]+")
_EVERY = 5  # one word in five is held out

# Slots whose words are few and known to everybody (occasions, family, groups of people), and numbers and greetings:
# a model that had not seen 生日 with a kind word would say nothing about one that people would use.
_FREE = frozenset(("number", "handle", "greet", "fest", "occasion", "who", "people", "zodiac", "occ", "group"))
_FREE |= frozenset(("zh_fest", "zh_kin", "zh_who", "zh_group", "en_occ", "en_group"))

Slots = Mapping[str, list[str]]


def is_held_out(word: str) -> bool:
    """Whether a word or line is kept from training."""
    return crc32(word.encode()) % _EVERY == 0


def kind_examples(rng: random.Random, lines: int, *, held: bool) -> list[Example]:
    """Kind lines, half Chinese; 0 in every category. Some are two or three lines read together, and some are pieces
    of a line, for that is how OCR cuts curved and spaced lettering."""
    texts: list[str] = []
    for name in ("kind_zh.yaml", "kind_en.yaml"):
        filled = _kind(_read(name), rng, lines, held=held)
        texts += filled
        texts += [_joined(rng.sample(filled, rng.choice((2, 3)))) for _ in range(lines // 4)]
        texts += [_fragment(rng, rng.choice(filled)) for _ in range(lines // 2)]
    return [Example(text, dict.fromkeys(LEARNED, 0.0), "kind") for text in texts]


def unkind_examples(rng: random.Random, lines: int, *, held: bool) -> list[Example]:
    """About `lines` unkind lines for each category; categories that overlap with it stay unknown."""
    document = _read("unkind.yaml")
    greetings = [
        text
        for name in ("kind_zh.yaml", "kind_en.yaml")
        for text in _kind(_read(name), rng, 600, held=held)
        if len(text) < 24
    ]
    lexicon = _read("lexicon.yaml")
    examples: list[Example] = []
    for category in LEARNED:
        slots = {**_slots(document), "greet": greetings, "word": _strong(lexicon[category])}
        slots |= {"number": _numbers(rng), "handle": _handles(rng)}
        for text in _fill_all(document[category]["templates"], slots, rng, lines, held=held):
            examples.append(Example(text, _labels(category), f"unkind_{category}"))
    return examples


def _labels(category: Category) -> dict[Category, float]:
    """Abuse overlaps (a threat insults, a slur is an insult); goods for sale do not."""
    abuse = {Category.INSULT, Category.HATE, Category.THREAT, Category.ILL_OMEN, Category.SELF_HARM, Category.SEXUAL}
    goods = {Category.DRUGS, Category.SPAM, Category.WEAPONS}
    labels = dict.fromkeys(goods if category in abuse else abuse, 0.0)
    if category is Category.INSULT:
        labels[Category.HATE] = 0.0
        labels[Category.SELF_HARM] = 0.0
    if category in (Category.SEXUAL, Category.SELF_HARM, Category.ILL_OMEN):
        labels[Category.HATE] = 0.0
    return labels | {category: 1.0}


def _kind(document: Mapping[str, Any], rng: random.Random, lines: int, *, held: bool) -> list[str]:
    fixed = [line for line in document["lines"] if is_held_out(line) == held]
    filled = _fill_all(document["templates"], _slots(document), rng, lines, held=held)
    return [*fixed, *fixed, *filled] if held else [*fixed * 6, *filled]


def _fill_all(templates: list[str], slots: Slots, rng: random.Random, lines: int, *, held: bool) -> list[str]:
    """`lines` fillings; templates without slots are lines of their own."""
    plain = [template for template in templates if not _SLOT.search(template)]
    open_templates = [template for template in templates if _SLOT.search(template)]
    texts = [line for line in plain if is_held_out(line) == held]
    while len(texts) < lines:
        text = _fill(rng.choice(open_templates), slots, rng, held=held)
        if text is not None:
            texts.append(text)
    return texts


def _fill(template: str, slots: Slots, rng: random.Random, *, held: bool) -> str | None:
    """One filling in one language; held-out fillings use held-out words only, but for the slots that are free."""
    text = template
    names = _SLOT.findall(template)
    for name in names:
        free = name in _FREE
        pool = [word for word in slots[name] if (free or is_held_out(word) == held) and _fits(word, template, name)]
        if not pool:
            return None
        text = text.replace(f"{{{name}}}", rng.choice(pool), 1)
    if _FREE.issuperset(names) and is_held_out(text) != held:
        return None
    return text


def _fits(word: str, template: str, name: str) -> bool:
    """Chinese words go into Chinese templates and English words into English ones."""
    if name not in ("word", "greet") or template == "{word}":
        return True
    chinese = bool(_HAN.search(template)) or "{zh_" in template
    if not chinese and not re.search(r"[A-Za-z]", _SLOT.sub("", template)):
        return True
    return chinese == bool(_HAN.search(word))


def _slots(document: Mapping[str, Any]) -> dict[str, list[str]]:
    return {
        name: value.split() if isinstance(value, str) else list(map(str, value))
        for name, value in document["slots"].items()
    }


def _strong(lists: Mapping[str, str]) -> list[str]:
    phrases = [phrase for key in ("phrases", "extra") for phrase in lists.get(key, "").split("|") if phrase]
    return [*lists.get("strong", "").split(), *phrases]


def _numbers(rng: random.Random) -> list[str]:
    mobile = [f"1{rng.choice('3578')}{rng.randrange(10**9):09d}" for _ in range(200)]
    return (
        mobile
        + [str(rng.randrange(10**5, 10**10)) for _ in range(200)]
        + [f"400-{n}-{n + 17}" for n in range(100, 900, 40)]
    )


def _handles(rng: random.Random) -> list[str]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return ["".join(rng.choices(letters, k=rng.randint(2, 6))) + str(rng.randrange(10, 99999)) for _ in range(300)]


def _fragment(rng: random.Random, line: str) -> str:
    """One to three words of an English line, or one to five characters of a Chinese one."""
    pieces = list(_PIECE.findall(line))
    chinese = bool(_HAN.search(line))
    length = rng.randint(1, 5 if chinese else 3)
    start = rng.randrange(max(1, len(pieces) - length + 1))
    return ("" if chinese else " ").join(pieces[start : start + length])


def _joined(lines: Iterable[str]) -> str:
    return " ".join(lines)


def cards(rng: random.Random, count: int, *, held: bool) -> Iterator[list[str]]:
    """Kind cards of three to eight lines in one language, for measuring false alarms of lines read together."""
    pools = [_kind(_read(name), rng, 2_000, held=held) for name in ("kind_zh.yaml", "kind_en.yaml")]
    for index in range(count):
        yield rng.sample(pools[index % 2], rng.randint(3, 8))


def _read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((WORDS / name).read_text(encoding="utf-8"))
    return document
