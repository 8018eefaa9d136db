"""Canaries and scripts, by the real models: are the cards of the day always told apart, what do canaries cost, and what
becomes of text in scripts that no model judges?

`python -m benchmarks.coverage` writes out/bench/coverage.json. It needs the fonts of `make fonts`, DejaVu and FreeFont.
"""

from __future__ import annotations

import argparse
import io
import random
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from rich.progress import track

from benchmarks import corpora, targets
from benchmarks.cards import KIND, TRICKY, Split, Wanted, compose, encode
from benchmarks.cards.pictures import fetch
from benchmarks.stack import running
from gatepost_client import Client, Decision, ReasonCode, Verdict
from gatepost_server.gateway.canary_cards import SUBJECTS, draw

COMMAND = "python -m benchmarks.coverage"
REPORT = targets.OUT / "bench" / "coverage.json"
SPLIT = Split.DEV
_FIRST = 930_000  # of the split's seeds

DEJAVU = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
CJK = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc")
FREE = Path("/usr/share/fonts/truetype/freefont/FreeSerif.ttf")
# Greetings and an insult each. The shipped recogniser's alphabet has Greek and kana; of the others it has nothing.
FOREIGN: Mapping[str, tuple[Path, Sequence[str]]] = {
    "Greek": (DEJAVU, ("Χρόνια πολλά", "Καλή χρονιά", "Να ζήσεις", "Συγχαρητήρια", "Είσαι ηλίθιος")),
    "kana": (
        CJK,
        ("おめでとう", "ありがとうございます", "ハッピーバースデー", "お誕生日おめでとう", "くたばれこのやろう"),
    ),
    "Cyrillic": (DEJAVU, ("С днём рождения", "Поздравляю", "Счастья и здоровья", "С Новым годом", "Ты идиот")),
    "Arabic": (DEJAVU, ("عيد ميلاد سعيد", "كل عام وأنتم بخير", "مبروك", "شكرا جزيلا", "أنت غبي")),
    "Hebrew": (DEJAVU, ("יום הולדת שמח", "שנה טובה", "מזל טוב", "תודה רבה", "אתה טיפש")),
    "Hangul": (CJK, ("생일 축하합니다", "새해 복 많이 받으세요", "감사합니다", "사랑해요", "이 바보 멍청이")),
    "Thai": (FREE, ("สุขสันต์วันเกิด", "สวัสดีปีใหม่", "ขอบคุณมาก", "ยินดีด้วย", "ไอ้โง่")),
    "Devanagari": (FREE, ("जन्मदिन मुबारक", "नया साल मुबारक", "धन्यवाद", "बधाई हो", "तुम बेवकूफ हो")),
}


@dataclass(slots=True)
class Shares:
    """How many of how many."""

    hits: Counter[str] = field(default_factory=Counter)
    cards: Counter[str] = field(default_factory=Counter)

    def add(self, what: str, hit: bool) -> None:
        self.cards[what] += 1
        self.hits[what] += hit

    def percent(self, what: str) -> float:
        return 100.0 * self.hits[what] / self.cards[what]


def canaries(days: int) -> Iterator[tuple[str, bytes]]:
    """("good" or "bad", card) of every subject on several days."""
    for kind, subjects in SUBJECTS.items():
        for good, some in subjects.items():
            for number in range(days * len(some)):
                day = date(2026, 1, 1) + timedelta(days=13 * number)
                yield good, draw(kind, some[number % len(some)], day, random.Random(number))


def foreign(cards: int) -> Iterator[tuple[str, bytes]]:
    """(script, card) with a text of that script alone."""
    for script, (face, texts) in FOREIGN.items():
        for number in range(cards):
            yield script, _written(texts[number % len(texts)], face, random.Random(f"{script} {number}"))


def _written(text: str, face: Path, rng: random.Random) -> bytes:
    size = rng.randint(48, 80)
    left, top, right, bottom = ImageFont.truetype(face, size).getbbox(text)
    while right - left > 700:
        size -= 4
        left, top, right, bottom = ImageFont.truetype(face, size).getbbox(text)
    card = Image.new("RGB", (768, 512), tuple(rng.randint(215, 255) for _ in range(3)))
    place = rng.uniform(20, 748 - (right - left)) - left, rng.uniform(20, 492 - (bottom - top)) - top
    ink = tuple(rng.randint(0, 90) for _ in range(3))
    ImageDraw.Draw(card).text(place, text, font=ImageFont.truetype(face, size), fill=ink)
    buffer = io.BytesIO()
    card.save(buffer, "PNG")
    return buffer.getvalue()


def kind(cards: int) -> Iterator[bytes]:
    """Kind cards in Chinese and English, as the evaluation draws them, of the development split."""
    rng = random.Random(_FIRST)
    texts = [entry.lines for entry in corpora.load(SPLIT.value, "kind_ordinary")]
    for number, seed in enumerate(range(SPLIT.seeds.start + _FIRST, SPLIT.seeds.start + _FIRST + cards)):
        pictures = tuple(rng.sample(KIND + TRICKY, rng.randint(0, 2)))
        data, _ = encode(compose(Wanted(rng.choice(texts), pictures, side=768), seed, SPLIT), number)
        yield data


def for_coverage_alone(verdict: Verdict) -> bool:
    """Whether nothing but coverage speaks against the card."""
    return bool(verdict.reasons) and all(reason.code is ReasonCode.COVERAGE for reason in verdict.reasons)


def measure(client: Client, days: int, foreign_cards: int, kind_cards: int) -> tuple[list[targets.Target], Shares]:
    """Asks for every card."""
    shares, seconds = Shares(), []
    for what, card in track(list(canaries(days)), "canaries"):
        started = time.monotonic()
        decision = client.moderate(card).decision
        seconds.append(time.monotonic() - started)
        shares.add(what, (decision is Decision.ALLOW) is (what == "good"))
    for script, card in track(list(foreign(foreign_cards)), "scripts"):
        shares.add(script, client.moderate(card).decision is not Decision.ALLOW)
    for card in track(kind(kind_cards), "kind cards", total=kind_cards):
        shares.add("kind", for_coverage_alone(client.moderate(card)))
    one_s = statistics.median(seconds)
    rows = [
        targets.at_least(f"{what} cards of the day answered rightly", shares.percent(what), 100, "%", COMMAND)
        for what in ("good", "bad")
    ]
    rows += [
        targets.reported("one canary, p50", 1_000 * one_s, "ms", COMMAND),
        targets.at_most("canaries' share of the time", 100 * 2 * one_s / 60.0, 2, "%", COMMAND),
    ]
    rows += [targets.at_least(f"{script} not allowed", shares.percent(script), 100, "%", COMMAND) for script in FOREIGN]
    rows.append(targets.at_most("kind cards held back for coverage alone", shares.percent("kind"), 0.5, "%", COMMAND))
    return rows, shares


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=10, help="days for each subject of the canaries")
    parser.add_argument("--foreign", type=int, default=20, help="cards of each script")
    parser.add_argument("--kind", type=int, default=200, help="kind cards")
    given = parser.parse_args()
    fetch(SPLIT)
    with running(ready_timeout_s=300) as stack, Client(stack.address, timeout=120) as client:
        rows, shares = measure(client, given.days, given.foreign, given.kind)
        ready_s = stack.ready_s
    rows.append(targets.at_most("ready after start, first canaries included", ready_s, 20, "s", COMMAND))
    targets.write(REPORT, rows, cards=dict(shares.cards), hits=dict(shares.hits))
    targets.show(rows, "Coverage")


if __name__ == "__main__":
    main()
