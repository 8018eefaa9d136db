"""Reading the public training data. Only files whose licence lets their weights be shipped; no dev or eval split."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gatepost_server.domain.labels import Category

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
