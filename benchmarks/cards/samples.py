"""The cards of tests/data/ocr, drawn once and committed: tests need no fonts.

`python -m benchmarks.cards.samples` draws them again. Only fonts under the SIL Open Font License take part.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from benchmarks.cards.backgrounds import SIDE, festive, gradient, paper
from benchmarks.cards.card import Card
from benchmarks.cards.fonts import Face
from benchmarks.cards.lettering import Ink, along, arc, column, lay, straight
from benchmarks.cards.styles import Drawing

FOLDER = Path(__file__).parents[2] / "tests" / "data" / "ocr"
SANS = Face("opentype/noto/NotoSansCJK-Bold.ttc", 2)
SERIF = Face("opentype/noto/NotoSerifCJK-Bold.ttc", 2)
BRUSH = Face("truetype/lxgw-wenkai/LXGWWenKai-Bold.ttf")
DARK, GOLD = Ink((60, 10, 20)), Ink((255, 220, 120))


def plain(drawing: Drawing) -> None:
    for index, (text, face) in enumerate(
        (("新年快乐，仕途顺遂", SERIF), ("Best wishes to you all", SANS), ("祝 Lily 生日快乐", BRUSH))
    ):
        drawing.put(straight(text, face, 72, DARK), SIDE / 2, SIDE * (index + 0.5) / 3)


def vertical(drawing: Drawing) -> None:
    drawing.put(column("春风浩荡入新年", SERIF, 80, GOLD), SIDE * 0.85, SIDE / 2)
    drawing.put(column("瑞雪纷飞辞旧岁", SERIF, 80, GOLD), SIDE * 0.15, SIDE / 2)
    drawing.put(straight("喜迎新春", SERIF, 96, GOLD), SIDE / 2, SIDE / 2)


def upside_down(drawing: Drawing) -> None:
    drawing.put(straight("平安喜乐常相伴", SANS, 72, DARK), SIDE / 2, SIDE * 0.3, 180)
    drawing.put(straight("Happy Holidays", SANS, 72, DARK), SIDE / 2, SIDE * 0.7, 180)


def curved(drawing: Drawing) -> None:
    for text, above, y in (("愿时光温柔待你如初", True, 150.0), ("May all your dreams come true", False, SIDE - 150.0)):
        path = arc(400, (SIDE / 2, y + 400 if above else y - 400), above=above)
        drawing.card.lines.append(lay(drawing.card.pixels, along(text, SANS, 60, DARK, path, SIDE), np.eye(3)))


def tiny(drawing: Drawing) -> None:
    for index, text in enumerate(("春江花月夜", "Small print is text too", "恭喜发财万事如意", "Season's greetings")):
        drawing.put(straight(text, SANS, 12, DARK), SIDE / 2, SIDE * (index + 0.5) / 4)


SAMPLES: dict[str, tuple[Callable[[Drawing], None], Callable[..., np.ndarray]]] = {
    "plain": (plain, paper),
    "vertical": (vertical, festive),
    "upside_down": (upside_down, gradient),
    "curved": (curved, paper),
    "tiny": (tiny, paper),
}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    said = {}
    for name, (style, ground) in SAMPLES.items():
        rng, noise = random.Random(name), np.random.default_rng(7)
        drawing = Drawing(Card(name, ground(rng, noise)), rng, noise)
        style(drawing)
        picture = np.ascontiguousarray(drawing.card.pixels[..., ::-1])
        cv2.imwrite(str(FOLDER / f"{name}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 85])
        said[name] = [line.text for line in drawing.card.lines]
    (FOLDER / "texts.json").write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
