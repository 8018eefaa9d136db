"""Reading the public training data. Only files whose licence lets their weights be shipped; no dev or eval split."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

import yaml

from gatepost_server.domain.labels import Category
from gatepost_server.text.normalize import normalize

LINES = Path(__file__).parent / "lines"
CACHE = Path.home() / ".cache/gatepost/training/text"
READINGS = "read.jsonl"  # in the cache folder: what our OCR read of written lines, see ocr_noise.py
_BREAK = " / "  # between the lines of one card, in lines/*/*.yaml
_HELD_EVERY = 10

_MENTION = re.compile(r"@[A-Za-z_]\w+:?")
_URL = re.compile(r"https?://\S+")

INSULT, HATE, THREAT, SPAM = Category.INSULT, Category.HATE, Category.THREAT, Category.SPAM
# The categories that the text model learns, in the order of its columns.
LEARNED = (
    Category.INSULT,
    Category.HATE,
    Category.THREAT,
    Category.SEXUAL,
    Category.WEAPONS,
    Category.SELF_HARM,
    Category.DRUGS,
    Category.SPAM,
    Category.ILL_OMEN,
)


@dataclass(frozen=True, slots=True)
class Example:
    """One training line. Categories missing from `labels` are unknown and are not learned from it."""

    text: str
    labels: dict[Category, float]
    source: str
    weights: dict[Category, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Written:
    """One card that somebody wrote by hand: its lines, and what it is (None for a kind one)."""

    lines: tuple[str, ...]
    category: Category | None

    @property
    def is_held_out(self) -> bool:
        """One card in ten, by a hash of its spelling, is kept for combining and calibrating."""
        return crc32(" ".join(self.lines).encode()) % _HELD_EVERY == 0

    @property
    def labels(self) -> dict[Category, float]:
        """What is known of it by category; see `labels_of`."""
        return dict.fromkeys(LEARNED, 0.0) if self.category is None else labels_of(self.category)


def labels_of(category: Category) -> dict[Category, float]:
    """Abuse overlaps with other abuse, so those labels stay unknown; with goods for sale it does not."""
    goods = {Category.DRUGS, Category.SPAM, Category.WEAPONS}
    others = set(LEARNED) - goods if category in goods else goods
    return dict.fromkeys(others, 0.0) | {category: 1.0}


def written(folder: Path = LINES) -> list[Written]:
    """The hand-written cards of lines/{zh,en}/*.yaml, in learned categories; repeated ones once."""
    found: dict[tuple[str, ...], Written] = {}
    for path in sorted(folder.glob("*/*.yaml")):
        for name, texts in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            category = None if name == "kind" else Category(name)
            if category is not None and category not in LEARNED:
                continue
            for text in texts:
                lines = tuple(part.strip() for part in str(text).split(_BREAK))
                found.setdefault(lines, Written(lines, category))
    return list(found.values())


def readings(cache: Path = CACHE) -> list[Example]:
    """Lines that OCR read differently from what was written; none before ocr_noise.py has run."""
    path = cache / READINGS
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines() if path.exists() else ())
    found: list[Example] = []
    for row in rows:
        category = None if row["category"] is None else Category(row["category"])
        if normalize(row["read"]) != normalize(row["line"]):
            source = "kind" if category is None else "written"
            found.append(Example(row["read"], Written((row["read"],), category).labels, source))
    return found


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _clean(text: str) -> str:
    return _URL.sub("http://url", _MENTION.sub("@user", text)).strip()


def read_cold(folder: Path) -> list[tuple[str, int]]:
    """COLDataset's train split (Apache-2.0): (comment, 1 if offensive)."""
    return [(row["text"], int(row["label"])) for row in _rows(folder / "cold/train.csv")]


def read_zh_messages(folder: Path) -> list[str]:
    """NUS SMS Corpus, Chinese (public domain by its authors' claim): everyday messages and greetings."""
    return [row["text"] for row in _rows(folder / "zh_sms/all.csv") if row["text"]]


def read_en_messages(folder: Path) -> list[str]:
    """The SMS Spam Collection's ordinary messages (CC BY 4.0)."""
    return [row["text"] for row in _rows(folder / "sms_spam_en/all.csv") if row["label"] == "0"]


def comments(folder: Path) -> list[Example]:
    """Every labelled comment, tweet and message that may be trained on."""
    return [
        *_cold(folder),
        *_swsr(folder),
        *_davidson(folder),
        *_edos(folder),
        *_hatemoji(folder),
        *_surge(folder),
        *_sms(folder),
    ]


def _cold(folder: Path) -> Iterator[Example]:
    # Offensive comments of COLD attack groups (race, region, gender), so most are hate as well; not all, hence unknown.
    for text, label in read_cold(folder):
        yield Example(text, {INSULT: 1.0} if label else {INSULT: 0.0, HATE: 0.0}, "cold")


def _swsr(folder: Path) -> Iterator[Example]:
    for row in _rows(folder / "swsr/all.csv"):
        sexist = row["label"] == "1"
        yield Example(row["text"], {HATE: 1.0} if sexist else {HATE: 0.0}, "swsr")


def _davidson(folder: Path) -> Iterator[Example]:
    for row in _rows(folder / "davidson/train.csv"):
        kind = row["class"]
        labels = {INSULT: float(kind != "2"), HATE: float(kind == "0")}
        yield Example(_clean(row["text"]), labels, "davidson")


def _edos(folder: Path) -> Iterator[Example]:
    for row in _rows(folder / "edos/train.csv"):
        labels = {HATE: float(row["label"] == "1")}
        if row["label_category"].startswith("1"):
            labels[THREAT] = 1.0
        yield Example(_clean(row["text"].replace("[USER]", "@user").replace("[URL]", "")), labels, "edos")


def _hatemoji(folder: Path) -> Iterator[Example]:
    for row in _rows(folder / "hatemoji/train.csv"):
        labels = {HATE: float(row["label"] == "1")}
        if row["type"] == "threateninglanguage" and row["label"] == "1":
            labels[THREAT] = 1.0
        yield Example(row["text"], labels, "hatemoji")


def _surge(folder: Path) -> Iterator[Example]:
    for row in _rows(folder / "surge_toxicity/all.csv"):
        yield Example(_clean(row["text"]), {INSULT: float(row["label"] == "1")}, "surge")


def _sms(folder: Path) -> Iterator[Example]:
    for row in _rows(folder / "sms_spam_en/all.csv"):
        spam = row["label"] == "1"
        labels = {SPAM: 1.0} if spam else dict.fromkeys(LEARNED, 0.0)
        yield Example(row["text"], labels, "sms_spam")
