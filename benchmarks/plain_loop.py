"""The loops that a user would write: an OCR package with its defaults and open_clip, one image after another.

`python -m benchmarks.plain_loop FOLDER --ocr paddleocr|rapidocr`, a child of benchmarks.rounds. Both packages run
gatepost's own weights; the image tower is gatepost's.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.paddle_reference import Line, PaddleReference
from benchmarks.rounds import answer, files_of
from gatepost_server.engines.torchvision_shim import ensure_torchvision
from gatepost_server.stages.clip.expand import expanded

SHIPPED = Path(__file__).parents[1] / "model_repository" / "clip" / "1"
PADDLEOCR, RAPIDOCR = "paddleocr", "rapidocr"


class RapidReference:
    """rapidocr's default pipeline; the package ships the weights."""

    def __init__(self) -> None:
        from rapidocr import RapidOCR

        self._ocr: Any = RapidOCR(params={"Global.log_level": "error"})

    def read(self, image: NDArray[np.uint8]) -> Sequence[Line]:
        """The lines of an RGB image."""
        page = self._ocr(np.ascontiguousarray(image[..., ::-1]))
        if page.boxes is None:
            return ()
        return [
            Line(text, float(confidence), np.asarray(polygon, dtype=np.float64))
            for text, confidence, polygon in zip(page.txts, page.scores, page.boxes, strict=True)
        ]


class PlainLoop:
    """OCR and an image embedding of a file."""

    def __init__(self, ocr: str, scratch: Path) -> None:
        ensure_torchvision()
        import open_clip

        self._ocr = PaddleReference(scratch) if ocr == PADDLEOCR else RapidReference()
        folder = expanded(SHIPPED, scratch)
        model, _, self._preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}", pretrained_text=False)
        self._clip = model.eval()

    def run(self, file: Path) -> Sequence[Line]:
        """What was read."""
        import torch

        with Image.open(file) as opened:
            image = opened.convert("RGB")
        lines = self._ocr.read(np.asarray(image))
        with torch.inference_mode():
            self._clip.encode_image(self._preprocess(image)[None])
        return lines


def main() -> None:
    """The child."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--share", default="0/1")
    parser.add_argument("--ocr", default=PADDLEOCR, choices=(PADDLEOCR, RAPIDOCR))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        answer(files_of(asked.folder, asked.share), PlainLoop(asked.ocr, Path(scratch)).run)


if __name__ == "__main__":
    main()
