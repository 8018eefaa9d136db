"""Gatepost's OCR beside paddleocr's default pipeline: same weights, same cards, by style.

Both read cards of seeds that no threshold was chosen on. Times are process CPU time, which other work on the machine
disturbs little. Writes out/evaluate/ocr.json and the table in docs/ocr.md.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.cards import STYLES, Card, draw
from benchmarks.ocr_scores import Tally, tally
from benchmarks.paddle_reference import Line, PaddleReference
from benchmarks.targets import OUT, Target, at_least, at_most, reported, show, write
from gatepost_server.domain.errors import GatepostError
from gatepost_server.stages.ocr_detect import OcrDetect
from gatepost_server.stages.ocr_recognize import OcrRecognize

COMMAND = "make evaluate-ocr"
HELD_OUT = 9000  # the first held-out seed; development used those below 1000
EACH = 6  # cards a style
LEAST_CONFIDENCE = 0.3  # below this a reading is taken for a mistaken region (paddleocr's default keeps all)
PAGE = Path(__file__).parents[1] / "docs" / "ocr.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"

# Recall and character error rate that a prototype of this pipeline reached, on cards of a generator of its own.
BARS: dict[str, tuple[float, float]] = {
    "plain": (100, 0),
    "script": (100, 0),
    "low resolution": (100, 0),
    "glow": (100, 0),
    "30-45 degrees": (100, 0),
    "vertical couplets": (100, 0.9),
    "adjacent columns": (85, 10.6),
    "90, 180, 270 degrees": (100, 1.0),
    "curved": (92, 13),
    "wave": (100, 12),
    "low contrast": (100, 1),
    "tiny, 9-11 px": (100, 0.3),
    "perspective, shear": (67, 34),
    "all": (96, 4.3),
}
Reader = Callable[[NDArray[np.uint8]], Sequence[Line]]


class GatepostReader:
    """The two stages in this process, as Triton would run them."""

    def __init__(self, parameters: dict[str, str]) -> None:
        self._detect, self._recognize = OcrDetect(parameters), OcrRecognize(parameters)

    def read(self, image: NDArray[np.uint8]) -> Sequence[Line]:
        (found,) = self._detect.run([{"OCR_PIXELS": image[None]}])
        if isinstance(found, GatepostError):
            raise found
        (texts,) = self._recognize.run([found.arrays])
        if isinstance(texts, GatepostError):
            raise texts
        size = np.array([image.shape[1], image.shape[0]], dtype=np.float64)
        points = found.arrays["POLYGON_POINTS"] * size
        polygons = np.split(points, np.cumsum(found.arrays["POLYGON_SIZES"])[:-1])
        lines = zip(texts.arrays["TEXTS"], texts.arrays["TEXT_CONFIDENCES"], polygons, strict=False)
        return [
            Line(text.decode(), float(confidence), polygon)
            for text, confidence, polygon in lines
            if confidence >= LEAST_CONFIDENCE
        ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=HELD_OUT, help="first seed")
    parser.add_argument("--each", type=int, default=EACH, help="cards a style")
    parser.add_argument("--without-reference", action="store_true", help="leave paddleocr out; write nothing")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a stage parameter")
    parser.add_argument("--styles", nargs="+", default=list(STYLES), choices=list(STYLES))
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    readers: dict[str, Reader] = {"gatepost": GatepostReader(dict(pair.split("=", 1) for pair in arguments.set)).read}
    with tempfile.TemporaryDirectory() as folder:
        if not arguments.without_reference:
            readers["paddleocr"] = PaddleReference(Path(folder)).read
        seeds = range(arguments.seed, arguments.seed + arguments.each)
        tallies, milliseconds = evaluate(readers, arguments.styles, seeds)
    table = markdown(tallies, milliseconds)
    print(table)
    if arguments.without_reference or set(arguments.styles) != set(STYLES):
        return
    targets = held_against(tallies["gatepost"], milliseconds)
    show(targets, "OCR")
    figures = {
        name: {
            style: {"recall": t.recall, "cer": t.cer, "exact": t.exact_share, "stray": t.stray, "lines": t.lines}
            for style, t in by_style.items()
        }
        for name, by_style in tallies.items()
    }
    write(OUT / "evaluate" / "ocr.json", targets, seeds=list(seeds), cpu_ms_per_card=milliseconds, figures=figures)
    if (arguments.seed, arguments.each) == (HELD_OUT, EACH):
        _into_page(table)


def evaluate(
    readers: dict[str, Reader], styles: Sequence[str], seeds: range
) -> tuple[dict[str, dict[str, Tally]], dict[str, float]]:
    """Tallies by reader and style ("all" last), and process CPU milliseconds a card by reader."""
    tallies: dict[str, dict[str, Tally]] = {name: {} for name in readers}
    spent = dict.fromkeys(readers, 0.0)
    warm_up = draw("plain", 0).pixels
    for read in readers.values():
        read(warm_up)
    progress = tqdm([(style, seed) for style in styles for seed in seeds], unit="card", disable=None)
    for style, seed in progress:
        progress.set_description(style)
        card: Card = draw(style, seed)
        for name, read in readers.items():
            started = time.process_time()
            lines = read(card.pixels)
            spent[name] += time.process_time() - started
            tallies[name][style] = tallies[name].get(style, Tally()) + tally(card, lines)
    for by_style in tallies.values():
        by_style["all"] = sum(by_style.values(), Tally())
    return tallies, {name: 1000 * seconds / (len(styles) * len(seeds)) for name, seconds in spent.items()}


def held_against(tallies: dict[str, Tally], milliseconds: dict[str, float]) -> list[Target]:
    """The figures beside their bars."""
    targets = []
    for style, (recall, cer) in BARS.items():
        targets.append(at_least(f"recall: {style}", round(tallies[style].recall, 1), recall, "%", COMMAND))
        targets.append(at_most(f"CER: {style}", round(tallies[style].cer, 1), cer, "%", COMMAND))
    ratio = milliseconds["paddleocr"] / milliseconds["gatepost"]
    targets.append(reported("CPU time a card", milliseconds["gatepost"], "ms", COMMAND))
    targets.append(reported("paddleocr's CPU time over gatepost's", ratio, "x", COMMAND))
    return targets


def markdown(tallies: dict[str, dict[str, Tally]], milliseconds: dict[str, float]) -> str:
    """A table: recall / CER / exact lines in per cent, by style and reader."""
    names = list(tallies)
    rows = [["style", "lines", *names], ["---", "---:", *("---:" for _ in names)]]
    for style in tallies[names[0]]:
        cells = (tallies[name][style] for name in names)
        figures = [f"{t.recall:.0f} / {t.cer:.1f} / {t.exact_share:.0f}" for t in cells]
        rows.append([style, str(tallies[names[0]][style].lines), *figures])
    rows.append(["stray readings", "", *(str(tallies[name]["all"].stray) for name in names)])
    rows.append(["CPU ms a card", "", *(f"{milliseconds[name]:.0f}" for name in names)])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _into_page(table: str) -> None:
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
