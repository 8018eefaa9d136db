"""Build services/gatepost_server/text/glyphs.tsv: Chinese characters that look alike to a reader, 果 and 呆.

    make fonts && python -m training.text.build_glyphs

The characters of GB 2312 are drawn in a sans and a serif face (Noto CJK, OFL), cut out, blurred and compared by the
correlation of their pixels; the mean of both faces counts. From 0.75 on two characters differ in a stroke or two
(果呆 0.79, 未末 0.97, 王玉 0.92); a character that changes a wish is far from the one it replaces (余难 0.40).
One of a pair is of the first level, the 3,755 commonest. The result is sorted, so a rebuild is the same.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

OUT = Path(__file__).parents[2] / "services/gatepost_server/text/glyphs.tsv"
NOTO = Path("/usr/share/fonts/opentype/noto")
FACES = (NOTO / "NotoSansCJK-Regular.ttc", NOTO / "NotoSerifCJK-Bold.ttc")
SIMPLIFIED = 2  # the face of the collection that draws simplified forms
ALIKE = 0.75
FIRST_LEVEL = 3_755
_LETTER, _CANVAS, _SIDE, _BLUR = 48, 64, 32, 1.3  # pixels


def characters() -> list[str]:
    """All Chinese characters of GB 2312, those of the first level first."""
    found = []
    for row in range(0xB0, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                found.append(bytes([row, cell]).decode("gb2312"))
            except UnicodeDecodeError:  # five places of the last row of the first level are empty
                continue
    return found


def drawn(face: Path, some: list[str]) -> NDArray[np.float32]:
    """Each character's pixels as a row of mean 0 and length 1, shape (n, 1024)."""
    font = ImageFont.truetype(str(face), _LETTER, index=SIMPLIFIED)
    rows = np.zeros((len(some), _SIDE * _SIDE), np.float32)
    for number, character in enumerate(some):
        image = Image.new("L", (_CANVAS, _CANVAS))
        ImageDraw.Draw(image).text((_CANVAS / 2, _CANVAS / 2), character, 255, font=font, anchor="mm")
        cut = image.crop(image.getbbox()).resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
        pixels = np.asarray(cut.filter(ImageFilter.GaussianBlur(_BLUR)), np.float32).ravel()
        pixels = pixels - pixels.mean()
        rows[number] = pixels / np.linalg.norm(pixels)
    return rows


def main() -> None:
    """Compare all pairs and write those that are alike, the lower code point first."""
    some = characters()
    faces = [drawn(face, some) for face in FACES]
    likeness = np.mean([rows[:FIRST_LEVEL] @ rows.T for rows in faces], axis=0)
    pairs = {
        tuple(sorted((some[left], some[right])))
        for left, right in np.argwhere(likeness >= ALIKE).tolist()
        if left != right
    }
    alike: dict[str, str] = {}
    for left, right in sorted(pairs):
        alike[left] = alike.get(left, "") + right
    lines = ["character\talike", *(f"{left}\t{right}" for left, right in alike.items())]
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(pairs)} pairs")


if __name__ == "__main__":
    main()
