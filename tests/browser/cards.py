"""Verdicts that people look at in the browser tests: the demo's pictures, with what models might say of them."""

from __future__ import annotations

import hashlib
import io
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from gatepost_server.domain.decision import ModerationRequest, Verdict
from gatepost_server.domain.evidence import Evidence, ImageFacts, TextLine, View
from gatepost_server.domain.labels import CATEGORIES
from gatepost_server.policy.book import PolicyBook
from gatepost_server.policy.judge import judge
from gatepost_server.records.entry import Entry, entry_of
from tests.builders import evidence

CARDS = Path(__file__).parents[2] / "benchmarks" / "demo" / "cards"


@dataclass(frozen=True, slots=True)
class Line:
    """A text at a place of the picture: x, y, width and height as shares of it."""

    text: str
    place: tuple[float, float, float, float]
    scores: Mapping[str, float]
    expected: float | None = None
    matches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """One picture of the demo, and what is known of it."""

    file: str
    prompt: str
    expected: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    picture: Mapping[str, float] = ()  # type: ignore[assignment]  # scores of the picture itself
    locale: str = "zh"


CURSED = Card(
    "new_year_replaced.jpg",
    "一张红色的新年贺卡,写着“新年快乐,仕途顺遂”",
    ("新年快乐", "仕途顺遂"),
    (Line("你是傻瓜", (0.18, 0.42, 0.64, 0.16), {"insult": 0.71}, expected=0.1, matches=("insult:傻瓜",)),),
)
OMEN = Card(
    "ill_omen.jpg",
    "祝寿的卡片",
    (),
    (Line("最后一个生日", (0.2, 0.4, 0.6, 0.14), {"ill_omen": 0.83, "threat": 0.31}),),
)
KNIFE = Card("knife.jpg", "a birthday card with a cake", picture={"weapons": 0.77, "violence": 0.34}, locale="en")
LEET = Card(
    "leet.jpg",
    "a card for my brother",
    (),
    (Line("h4ppy b1rthday 1d10t", (0.15, 0.4, 0.7, 0.15), {"insult": 0.64}, matches=("insult:idiot",)),),
    locale="en",
)
ADVERT = Card(
    "advert.png",
    "a poster for our shop",
    ("grand opening",),
    (Line("call 555 0100 now", (0.2, 0.5, 0.6, 0.1), {"spam": 0.81}, expected=0.2, matches=("spam:call now",)),),
    locale="en",
)
KIND = Card(
    "grandma.jpg", "给奶奶的生日卡", ("生日快乐",), (Line("生日快乐", (0.2, 0.4, 0.6, 0.15), {}, expected=1.0),)
)


def named(number: int) -> str:
    """The name of the verdict of that number."""
    return f"verdicts/{uuid.UUID(int=random.Random(number).getrandbits(128), version=4)}"


def entry(
    card: Card,
    number: int,
    policies: PolicyBook,
    *,
    created: float,
    tenant: str = "cards",
    factor: float = 1.0,
    opinions: int = 1,
    due_s: float = 14_400.0,
) -> Entry:
    """What is written down of it, judged by the default policy; scores times `factor`. With its image, unsealed."""
    image = (CARDS / card.file).read_bytes()
    found = _evidence(card, image, factor)
    request = ModerationRequest(
        f"request-{number}",
        image,
        card.prompt,
        card.expected,
        locale=card.locale,
        tenant=tenant,
        image_sha256=hashlib.sha256(image).hexdigest(),
    )
    found, judgement = judge(found, request, policies.get(""))
    timings = {"scoring": 281.0, "total": 294.5}
    verdict = Verdict(named(number), request.request_id, judgement, found, created, timings, tenant=tenant)
    return entry_of(request, verdict, keep_image=True, opinions=opinions, due_s=due_s)


def _evidence(card: Card, image: bytes, factor: float) -> Evidence:
    with Image.open(io.BytesIO(image)) as opened:
        (width, height), form = opened.size, opened.format or ""
    lines = [_line(line, width, height, factor) for line in card.lines]
    scores = {name: score * factor for name, score in dict(card.picture).items()}
    sources = dict.fromkeys(scores, "image")
    for index, line in enumerate(card.lines):
        for name, score in line.scores.items():
            if score * factor > scores.get(name, 0.0):
                scores[name], sources[name] = score * factor, f"line:{index}"
    found = evidence(scores, sources=sources, lines=lines, image_scores=dict(card.picture), prompt_similarity=0.3)
    pdq = f"{random.Random(card.file).getrandbits(256):064x}"
    facts = ImageFacts(hashlib.sha256(image).hexdigest(), pdq, 100, width, height, form, 1, (View(0),))
    return replace(found, image=facts, embedding=_embedding(card.file))


def _line(line: Line, width: int, height: int, factor: float) -> TextLine:
    x, y, w, h = line.place
    corners = ((x, y), (x + w, y), (x + w, y + h), (x, y + h))
    scores = {name: score * factor for name, score in line.scores.items()}
    return TextLine(
        polygon=tuple((left * width, top * height) for left, top in corners),
        view=0,
        text=line.text,
        normalized=line.text,
        language="zh" if any(ord(letter) > 0x2E7F for letter in line.text) else "en",
        confidence=0.97,
        scores={category: scores.get(category.value, 0.0) for category in CATEGORIES},
        expected=line.expected,
        matches=line.matches,
    )


def _embedding(file: str) -> tuple[float, ...]:
    draw = random.Random(file)
    numbers = [draw.gauss(0.0, 1.0) for _ in range(16)]
    length = sum(number * number for number in numbers) ** 0.5
    return tuple(number / length for number in numbers)
