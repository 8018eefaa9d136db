"""python -m benchmarks.cards FOLDER [--seed N] [--each N]: some cards of every style, to look at."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2

from benchmarks.cards import STYLES, draw


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--each", type=int, default=1)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for style in STYLES:
        for seed in range(arguments.seed, arguments.seed + arguments.each):
            name = f"{style.replace(', ', '-').replace(' ', '-')}-{seed}.png"
            cv2.imwrite(str(arguments.folder / name), draw(style, seed).pixels[..., ::-1])


if __name__ == "__main__":
    main()
