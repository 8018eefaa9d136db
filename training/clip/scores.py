"""Raw scores of cards by the shipped model, whole and by tiles: what calibrate.py and evaluate.py stand on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gatepost_server.stages.clip.model import Choice, ClipModel
from gatepost_server.stages.clip.questions import Questions
from gatepost_server.stages.clip.tiles import boxes, cut
from training.clip.full_cards import FullCard

LAYOUTS: dict[str, tuple[float, ...]] = {"whole": (), "tiles of 0.6": (0.6,), "tiles of 0.6 and 0.4": (0.6, 0.4)}
SHIPPED_LAYOUT = "tiles of 0.6 and 0.4"


@dataclass(frozen=True, slots=True)
class Scored:
    """Raw scores [cards, categories] of a list of cards under one layout of tiles."""

    categories: tuple[str, ...]
    by_layout: dict[str, NDArray[np.float32]]
    labels: tuple[str, ...]  # the risky category of each card, or ""
    sizes: tuple[str, ...]


def scorer(folder: Path, cache: Path) -> Callable[[Iterable[FullCard]], Scored]:
    """Loads the model as the service does; the maximum over a card's pictures is its score."""
    model = ClipModel(Choice(directory=folder, cache=cache))
    questions = Questions.ask(model, folder / "prompts.yaml")

    def score(cards: Iterable[FullCard]) -> Scored:
        rows: dict[str, list[NDArray[np.float32]]] = {name: [] for name in LAYOUTS}
        labels, sizes = [], []
        for card in cards:
            height, width = card.pixels.shape[:2]
            parts = boxes(width, height, LAYOUTS[SHIPPED_LAYOUT])
            raw = questions.raw_scores(model.encode_images(cut(card.pixels, parts, model.side)), model.scale)
            for name, layout in LAYOUTS.items():  # every layout is a prefix of the shipped one
                rows[name].append(raw[: len(boxes(width, height, layout))].max(axis=0))
            labels.append(card.category)
            sizes.append(card.size)
        return Scored(questions.categories, {n: np.stack(r) for n, r in rows.items()}, tuple(labels), tuple(sizes))

    return score
