"""Cards as files: PNG, or with the losses of JPEG and WebP."""

from __future__ import annotations

import random

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.cards.card import Card


def encode(card: Card | NDArray[np.uint8], seed: int) -> tuple[bytes, str]:
    """The card (or RGB pixels) as a file, and its format: "PNG", "JPEG" of quality 50 to 95, or "WEBP" of 50 to 90."""
    pixels = card.pixels if isinstance(card, Card) else card
    rng = random.Random(f"file:{seed}")
    extension, form, options = rng.choice(
        [
            (".png", "PNG", [cv2.IMWRITE_PNG_COMPRESSION, 1]),
            (".jpg", "JPEG", [cv2.IMWRITE_JPEG_QUALITY, rng.randint(50, 95)]),
            (".webp", "WEBP", [cv2.IMWRITE_WEBP_QUALITY, rng.randint(50, 90)]),
        ]
    )
    done, data = cv2.imencode(extension, np.ascontiguousarray(pixels[..., ::-1]), options)
    if not done:
        raise ValueError(f"OpenCV could not write {form}")
    return data.tobytes(), form
