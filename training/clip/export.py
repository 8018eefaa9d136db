"""Writes a checkpoint of the training into the shipped folder: `python -m training.clip.export`."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from training.clip import model


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=Path.home() / ".cache/gatepost/training/clip/checkpoint.pt")
    parser.add_argument("--model", type=Path, default=Path("model_repository/clip/1"))
    given = parser.parse_args()
    saved = torch.load(given.checkpoint, map_location="cpu", weights_only=True)
    model.save_image_part(saved["model"], given.model)
    print(f"wrote the weights after step {saved['done']}")


if __name__ == "__main__":
    main()
