"""Training lines as our OCR reads them: written on cards with training fonts, read, and kept with their labels.

    python -m training.text.ocr_noise --cards 400

Many lines stand on one card, because reading a card is what costs. Every other card is wholly kind: all that is read
on it, ornaments and pieces of lines among it, alone and together, is kind as well. Kept in the cache folder, one JSON
object a line.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
from rapidfuzz import fuzz
from tqdm import tqdm

from benchmarks.cards import Card, Split, Wanted, compose
from gatepost_server.domain.errors import GatepostError
from gatepost_server.stages.ocr_detect import OcrDetect
from gatepost_server.stages.ocr_recognize import OcrRecognize
from gatepost_server.text.characters import count_letters
from gatepost_server.text.normalize import normalize
from gatepost_server.text.reading_order import join
from training.text.data import CACHE, READINGS, Written, written

# Of 100: a reading less like its line than this is something else, or lacks the word that made the line unkind.
_LIKE, _UNKIND_LIKE = 55.0, 80.0
_LINES = 4  # of different cards, on one
_LETTERS = 2  # less says nothing


def read(card: Card, detect: OcrDetect, recognize: OcrRecognize) -> list[str]:
    """What our OCR reads on a card; nothing where it fails."""
    (found,) = detect.run([{"OCR_PIXELS": card.pixels[None]}])
    if isinstance(found, GatepostError):
        return []
    (texts,) = recognize.run([found.arrays])
    return [] if isinstance(texts, GatepostError) else [text.decode() for text in texts.arrays["TEXTS"]]


def matched(card: Iterable[Written], readings: Sequence[str]) -> list[tuple[str, str, str | None]]:
    """(line, what it was read as, category) for every line that has a reading like it."""
    pairs = []
    for line in card:
        likeness = [fuzz.ratio(line.lines[0], reading) for reading in readings]
        if likeness and max(likeness) >= (_LIKE if line.category is None else _UNKIND_LIKE):
            pairs.append((line.lines[0], readings[int(np.argmax(likeness))], line.category))
    return pairs


def all_kind(card: Sequence[Written], readings: Sequence[str]) -> list[tuple[str, str, str | None]]:
    """As `matched`, of a card of kind lines only: whatever was read, each reading alone and all of them joined."""
    told = [reading for reading in readings if count_letters(normalize(reading)) >= _LETTERS]
    whole = join([line.lines[0] for line in card], range(len(card)))
    together = [(whole, join(told, range(len(told))), None)] if len(told) > 1 else []
    return [
        *((max(card, key=lambda line: fuzz.ratio(line.lines[0], one)).lines[0], one, None) for one in told),
        *together,
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cards", type=int, default=400)
    parser.add_argument("--cache", type=Path, default=CACHE)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    detect, recognize = OcrDetect({}), OcrRecognize({})
    rng = random.Random(17)
    # Of an unkind card of several lines, nobody knows which line it is.
    cards = [card for card in written() if not card.is_held_out and (card.category is None or len(card.lines) == 1)]
    firsts = [Written(card.lines[:1], card.category) for card in cards]
    short = [line for line in firsts if len(line.lines[0]) <= 24]
    kind = [line for line in short if line.category is None]
    options.cache.mkdir(parents=True, exist_ok=True)
    with (options.cache / READINGS).open("w", encoding="utf-8") as file:
        for seed in tqdm(range(options.cards), mininterval=10):
            told, pool = (all_kind, kind) if seed % 2 else (matched, short)
            lines = rng.sample(pool, _LINES)
            card = compose(Wanted(tuple(line.lines[0] for line in lines)), seed, Split.TRAIN)
            for line, reading, category in told(lines, read(card, detect, recognize)):
                file.write(json.dumps({"line": line, "read": reading, "category": category}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
