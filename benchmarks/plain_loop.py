"""The peer of `make bench-smoke`: the loop that a user would write over paddleocr and open_clip, same weights.

`python -m benchmarks.plain_loop FOLDER` loads both with their defaults, warms up, prints one JSON line,
then measures one round over the folder's JPEGs for every line on standard input.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.paddle_reference import PaddleReference
from gatepost_server.engines.torchvision_shim import ensure_torchvision
from gatepost_server.stages.clip.expand import expanded

SHIPPED = Path(__file__).parents[1] / "model_repository" / "clip" / "1"


class PlainLoop:
    """OCR and an image embedding of one file after another."""

    def __init__(self, scratch: Path) -> None:
        ensure_torchvision()
        import open_clip

        self._ocr = PaddleReference(scratch)
        folder = expanded(SHIPPED, scratch)
        model, _, self._preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}", pretrained_text=False)
        self._clip = model.eval()

    def run(self, files: Sequence[Path]) -> None:
        import torch

        for file in files:
            with Image.open(file) as opened:
                image = opened.convert("RGB")
            self._ocr.read(np.asarray(image))
            with torch.inference_mode():
                self._clip.encode_image(self._preprocess(image)[None])


def main() -> None:
    files = sorted(Path(sys.argv[1]).glob("*.jpg"))
    with tempfile.TemporaryDirectory() as scratch:
        loop = PlainLoop(Path(scratch))
        loop.run(files[:4])
        print(json.dumps({"ready": True}), flush=True)
        for _ in sys.stdin:
            started = time.perf_counter()
            loop.run(files)
            print(json.dumps({"images_per_second": len(files) / (time.perf_counter() - started)}), flush=True)


if __name__ == "__main__":
    main()
