"""python -m benchmarks.cards FOLDER [--split test]: cards of every style to look at, and all of them on one sheet.

`--ocr` writes those of the OCR measurement instead (`draw`).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from benchmarks.cards import LOOKS, STYLES, Card, Split, Wanted, compose, draw
from benchmarks.cards.phrases import CHINESE_LONG, COUPLETS, ENGLISH_LONG, ENGLISH_SHORT, MIXED

TEXTS: tuple[tuple[str, ...], ...] = (
    *((text,) for text in CHINESE_LONG[:4]),
    *COUPLETS[:4],
    *((text,) for text in ENGLISH_LONG[:4]),
    *zip(ENGLISH_SHORT[:4], ENGLISH_LONG[2:], strict=False),
    *((text,) for text in MIXED[:4]),
)
CELL = 320  # pixels of a card on the sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split", type=Split, choices=list(Split), default=Split.TRAIN)
    parser.add_argument("--ocr", action="store_true")
    parser.add_argument("--seed", type=int, default=0, help="counted from the split's first")
    parser.add_argument("--each", type=int, default=4, help="cards a style")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    seeds = range(arguments.seed, arguments.seed + arguments.each)
    rows = []
    for style, cards in _ocr(seeds) if arguments.ocr else _composed(arguments.split, seeds):
        row = []
        for seed, card in zip(seeds, cards, strict=True):
            picture = np.ascontiguousarray(card.pixels[..., ::-1])
            name = f"{style.replace(', ', '-').replace(' ', '-')}-{seed}.png"
            cv2.imwrite(str(arguments.folder / name), picture)
            row.append(cv2.resize(picture, (CELL, CELL), interpolation=cv2.INTER_AREA))
        rows.append(np.hstack(row))
    cv2.imwrite(str(arguments.folder / "sheet.png"), np.vstack(rows))


def _composed(split: Split, seeds: range) -> Iterator[tuple[str, list[Card]]]:
    for number, style in enumerate(LOOKS):
        texts = (TEXTS[(7 * number + 3 * seed) % len(TEXTS)] for seed in seeds)
        yield (
            style,
            [
                compose(Wanted(text, style=style), split.seeds[seed + number * len(seeds)], split)
                for text, seed in zip(texts, seeds, strict=True)
            ],
        )


def _ocr(seeds: range) -> Iterator[tuple[str, list[Card]]]:
    for style in STYLES:
        yield style, [draw(style, seed) for seed in seeds]


if __name__ == "__main__":
    main()
