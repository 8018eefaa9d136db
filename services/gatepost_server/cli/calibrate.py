"""gatepostd calibrate: prompts and levels for a CLIP model, from labelled cards.

The cards are a folder with `cards.csv`: a header `file,category`, then a row a card; an empty category is a kind card.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from rich.progress import track

from gatepost_server.domain.labels import CATEGORIES
from gatepost_server.stages.clip.fit import Fit, Logits, fit
from gatepost_server.stages.clip.model import ClipModel
from gatepost_server.stages.clip.prompts import PromptSet
from gatepost_server.stages.clip.questions import Questions
from gatepost_server.stages.clip.tiles import boxes, cut
from gatepost_server.stages.decode import views
from gatepost_server.stages.decode.limits import Limits

LIST = "cards.csv"
Pixels = NDArray[np.uint8]  # height, width, 3 RGB


class CardsError(ValueError):
    """The folder of cards cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """One card's file, and the category that it shows, "" for a kind one."""

    file: Path
    category: str


def read_list(folder: Path) -> list[Labelled]:
    """The rows of cards.csv. Raises CardsError."""
    try:
        with (folder / LIST).open(encoding="utf-8", newline="") as file:
            rows = [Labelled(folder / row["file"], row["category"] or "") for row in csv.DictReader(file)]
    except (OSError, KeyError, TypeError, UnicodeDecodeError, csv.Error) as problem:
        raise CardsError(f"{folder / LIST} is not a list of cards with the columns file and category") from problem
    known = {"", *(str(category) for category in CATEGORIES)}
    for row in rows:
        if row.category not in known:
            raise CardsError(f"{row.file.name}: {row.category!r} is no category")
    if not any(not row.category for row in rows):
        raise CardsError("there are no kind cards: nothing to hold the others against")
    return rows


def calibrate(
    model: ClipModel, prompts: Path, cards: Path, *, tiles: tuple[float, ...], alarms: float
) -> dict[str, Fit]:
    """By category, the prompts that stay and the line of the log odds; categories without cards are left out.

    Raises CardsError.
    """
    questions = Questions.ask(model, prompts)
    by_category: defaultdict[str, list[Logits]] = defaultdict(list)
    for row in track(read_list(cards), description="looking at cards"):
        by_category[row.category].append(_logits(model, questions, _pixels(row.file), tiles))
    kind = _stacked(by_category.pop(""))
    fits: dict[str, Fit] = {}
    for name, span in zip(questions.categories, questions.spans[:-1], strict=True):
        if found := by_category.get(name):
            entries = range(span.start, span.stop)
            fits[name] = fit(kind, _stacked(found), entries, questions.spans[-1], alarms)
    return fits


def write(fits: Mapping[str, Fit], prompts: Path, out: Path, **about: object) -> None:
    """calibration.json and the prompts.yaml that it belongs to."""
    out.mkdir(parents=True, exist_ok=True)
    lines = {
        name: {"slope": round(found.slope, 4), "intercept": round(found.intercept, 4), "auc": round(found.auc, 4)}
        for name, found in fits.items()
    }
    text = json.dumps({**about, "categories": lines}, indent=1)
    (out / "calibration.json").write_text(text + "\n", encoding="utf-8")
    document = yaml.safe_load(prompts.read_text(encoding="utf-8"))
    spans = dict(zip(document["categories"], PromptSet.load(prompts).spans(), strict=False))
    for name, found in fits.items():
        entries, first = document["categories"][name], spans[name].start
        document["categories"][name] = [entries[place - first] for place in found.entries]
    text = yaml.safe_dump(document, allow_unicode=True, sort_keys=False, default_flow_style=None, width=120)
    (out / "prompts.yaml").write_text(text, encoding="utf-8")


def _logits(model: ClipModel, questions: Questions, pixels: Pixels, tiles: tuple[float, ...]) -> Logits:
    parts = boxes(pixels.shape[1], pixels.shape[0], tiles)
    vectors = model.encode_images(cut(pixels, parts, model.side))
    found: Logits = (model.scale * vectors @ questions.entries.T).astype(np.float32)
    return found


def _pixels(file: Path) -> Pixels:
    try:
        with Image.open(file) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
        return np.asarray(views.shrink(upright, views.fit(upright.size, Limits().clip_side)))
    except (OSError, UnidentifiedImageError) as problem:
        raise CardsError(f"{file.name} cannot be read as a picture") from problem


def _stacked(cards: list[Logits]) -> Logits:
    """Cards of unlike shapes have unlike numbers of tiles: the whole, repeated, changes no maximum."""
    looks = max(len(card) for card in cards)
    return np.stack([np.concatenate([card, np.repeat(card[:1], looks - len(card), axis=0)]) for card in cards])


def levels(fits: Mapping[str, Fit], prompts: Path) -> Iterator[tuple[str, str, str]]:
    """Rows for people: category, area under the curve, prompts kept of how many."""
    sizes = {name: len(entries) for name, entries in PromptSet.load(prompts).categories.items()}
    for name, found in fits.items():
        yield name, f"{found.auc:.3f}", f"{len(found.entries)} of {sizes[name]}"
