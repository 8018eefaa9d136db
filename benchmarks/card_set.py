"""python -m benchmarks.card_set FOLDER [--kind N] [--risky N]: labelled cards, for `gatepostd calibrate`.

Kind cards, and cards with a picture of each category that pictures are judged by, of the development split: what is
fitted to them is then measured on the test split's texts, fonts and drawings.
"""

from __future__ import annotations

import argparse
import csv
import random
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from benchmarks import corpora
from benchmarks.cards import KIND, RISKY, TRICKY, Card, Split, Wanted, compose, encode
from benchmarks.cards.pictures import drawn, fetch

SPLIT = Split.DEV
_FIRST = 700_000  # within the split


def cards(kind: int, risky: int) -> Iterator[tuple[Card, str]]:
    """Kind cards, then `risky` cards a category; the label is "" for kind ones."""
    rng = random.Random(_FIRST)
    texts = [entry.lines for entry in corpora.load(SPLIT.value, "kind_ordinary")]
    labels = [""] * kind + [str(category) for category in RISKY for _ in range(risky)]
    shown = {str(category): [code for code in codes if drawn(code, SPLIT)] for category, codes in RISKY.items()}
    for seed, label in enumerate(labels, SPLIT.seeds.start + _FIRST):
        pictures = (rng.choice(shown[label]),) if label else tuple(rng.sample(KIND + TRICKY, rng.randint(0, 2)))
        yield compose(Wanted(rng.choice(texts), pictures, side=512), seed, SPLIT), label


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kind", type=int, default=600)
    parser.add_argument("--risky", type=int, default=60, help="cards a category")
    given = parser.parse_args()
    fetch(SPLIT)
    given.folder.mkdir(parents=True, exist_ok=True)
    with (given.folder / "cards.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "category"])
        for number, (card, label) in enumerate(tqdm(cards(given.kind, given.risky), unit="card", disable=None)):
            data, form = encode(card, number)
            name = f"{label or 'kind'}-{number:05d}.{form.lower()}"
            (given.folder / name).write_bytes(data)
            rows.writerow([name, label])


if __name__ == "__main__":
    main()
