"""Fits services/gatepost_server/stages/ocr_recognize/ornaments.json: `python -m training.ocr.ornaments`.

Cards of the training split (texts of training/text/lines, training fonts and pictograms, every style) are read by our
own OCR. A reading that lies on something written is text, any other one is an ornament. The level is set so that of the
texts of cards that were kept aside at most LOST are taken for ornaments.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from shapely.geometry import Polygon
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from benchmarks.cards import KIND, TRICKY, Card, Split, Wanted, compose
from benchmarks.ocr_scores import BELONGS
from gatepost_server.domain.errors import GatepostError
from gatepost_server.stages.ocr_detect import OcrDetect
from gatepost_server.stages.ocr_recognize import OcrRecognize
from gatepost_server.stages.ocr_recognize.ornaments import FEATURES, FILE, features, is_doubtful
from training.text.data import written

LOST = 0.02  # of the doubtful readings of real text, which are a small part of all
_FIRST, _KEPT_ASIDE = 300_000, 4  # every fourth card
_SHORT = ("福", "囍", "春", "寿", "Hi", "Love", "你好", "加油", "6", "XO", "2027", "Joy", "感恩", "家", "Mom", "爸")
_ON_TEXT = 0.15  # of a reading's outline; between this and BELONGS nobody can say


def cards(count: int) -> Iterator[Card]:
    """Kind cards with many ornaments and texts of every length."""
    rng = random.Random(_FIRST)
    lines = [card.lines for card in written() if card.category is None and not card.is_held_out]
    for seed in range(_FIRST, _FIRST + count):
        text = (rng.choice(_SHORT),) if rng.random() < 0.3 else rng.choice(lines)[:3]
        pictures = tuple(rng.sample(KIND + TRICKY, rng.randint(0, 2)))
        side = rng.choice([640, 768, 1024])
        yield compose(Wanted(text, pictures, side=side), seed, Split.TRAIN)


def doubtful(card: Card, detect: OcrDetect, recognize: OcrRecognize) -> Iterator[tuple[NDArray[np.float64], bool]]:
    """Features of each doubtful reading, and whether it lies on something written."""
    (found,) = detect.run([{"OCR_PIXELS": card.pixels[None]}])
    (texts,) = recognize.run([found.arrays]) if not isinstance(found, GatepostError) else (found,)
    if isinstance(found, GatepostError) or isinstance(texts, GatepostError):
        return
    ends = np.cumsum(found.arrays["CROP_WIDTHS"])
    first = {int(line): k for k, line in reversed(list(enumerate(found.arrays["CROP_LINES"])))}
    points = found.arrays["POLYGON_POINTS"] * [card.pixels.shape[1], card.pixels.shape[0]]
    outlines = np.split(points, np.cumsum(found.arrays["POLYGON_SIZES"])[:-1])
    on_card = [Polygon(line.outline).buffer(0) for line in card.lines]
    for line, (text, sure) in enumerate(zip(texts.arrays["TEXTS"], texts.arrays["TEXT_CONFIDENCES"], strict=True)):
        outline = Polygon(outlines[line]).buffer(0)
        share = max((outline.intersection(one).area for one in on_card), default=0.0) / max(outline.area, 1.0)
        reading = text.decode()
        if is_doubtful(reading, float(sure)) and (share > BELONGS or share < _ON_TEXT):
            k = first[line]
            crop = found.arrays["CROPS"][:, ends[k] - found.arrays["CROP_WIDTHS"][k] : ends[k]]
            yield features(reading, float(sure), crop), share > BELONGS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cards", type=int, default=400)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    detect, recognize = OcrDetect({}), OcrRecognize({"ornaments": "keep"})
    rows, labels, aside = [], [], []
    for number, card in enumerate(tqdm(cards(given.cards), total=given.cards, unit="card", mininterval=10)):
        for row, is_text in doubtful(card, detect, recognize):
            rows.append(row)
            labels.append(is_text)
            aside.append(number % _KEPT_ASIDE == 0)
    x, y, kept = np.stack(rows), np.array(labels), np.array(aside)
    scale = StandardScaler().fit(x[~kept])
    model = LogisticRegression(C=1.0, max_iter=2_000).fit(scale.transform(x[~kept]), y[~kept])
    weights = model.coef_[0] / scale.scale_
    bias = float(model.intercept_[0] - weights @ scale.mean_)
    odds = x[kept] @ weights + bias
    least = float(np.quantile(odds[y[kept]], LOST))
    found = float((odds[~y[kept]] < least).mean())
    print(
        f"{len(y)} doubtful readings, {int(y.sum())} of them text; ornaments told: {found:.2f} at {LOST} of text lost"
    )
    written_down = {
        "cards": given.cards,
        "ornaments_told": round(found, 4),
        "text_lost": LOST,
        "bias": round(bias, 5),
        "least": round(least, 5),
        "weights": {name: round(float(weight), 5) for name, weight in zip(FEATURES, weights, strict=True)},
    }
    FILE.write_text(json.dumps(written_down, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
