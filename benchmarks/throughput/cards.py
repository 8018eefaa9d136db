"""The cards that all are given: 1024x1024, every style of the OCR measurement, seeds that nothing was chosen on."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from benchmarks import targets
from benchmarks.cards import STYLES, Card, draw
from benchmarks.evaluate_ocr import HELD_OUT

FOLDER = targets.OUT / "bench" / "throughput-cards"
EACH = 2  # seeds a style
QUALITY = 92


def cards(folder: Path = FOLDER, each: int = EACH) -> dict[str, Card]:
    """The cards by the name of the JPEG that is written for each; what lay in the folder before is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.jpg"):
        old.unlink()
    drawn: dict[str, Card] = {}
    for seed in range(HELD_OUT, HELD_OUT + each):
        for style in STYLES:
            card = draw(style, seed)
            name = f"{len(drawn):02d}.jpg"
            Image.fromarray(card.pixels).save(folder / name, quality=QUALITY)
            drawn[name] = card
    return drawn


def encoded(folder: Path = FOLDER) -> list[bytes]:
    """The files of `cards`, drawn if there are none yet."""
    if not any(folder.glob("*.jpg")):
        cards(folder)
    return [file.read_bytes() for file in sorted(folder.glob("*.jpg"))]
