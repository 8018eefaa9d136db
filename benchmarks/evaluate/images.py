"""Suite (e): what the picture model makes of drawings of styles that it was never trained on, and of photographs."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import matplotlib as mpl
import numpy as np
import sklearn.datasets
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks import corpora
from benchmarks.cards import Split, Wanted, compose, pictures
from benchmarks.evaluate import metrics
from benchmarks.evaluate.case import HELD
from benchmarks.evaluate.figures import hundredfold, percent
from gatepost_server.domain.errors import GatepostError
from gatepost_server.domain.labels import CATEGORIES, Category
from gatepost_server.stages.base import text_array
from gatepost_server.stages.clip.stage import Clip
from training.clip.risk import RiskTable

MODEL = Path(__file__).parents[2] / "model_repository" / "clip" / "1"
SIDE = 512  # what decode sends to the picture model
KIND_CARDS = 500
CARDS_A_CATEGORY = 120
_FIRST_SEED = 900_000  # within the split
_RISKY: Mapping[Category, tuple[str, ...]] = {Category.VIOLENCE: ("1FA78",), **pictures.RISKY}
_PHOTOS = "mate-backgrounds"  # Debian's: twelve photographs of nature among its wallpapers
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Pictured:
    """A card with one picture that matters: a code point and its category, "" for kind ones."""

    pixels: Pixels
    code: str
    category: str


class Looks:
    """Scores pictures as Triton would."""

    def __init__(self, directory: Path = MODEL) -> None:
        self._stage = Clip({"directory": str(directory), "device": "cpu"})

    def scores(self, pixels: Pixels) -> NDArray[np.float32]:
        """Probabilities (C,) of an RGB picture; raises GatepostError as the stage gives it."""
        (result,) = self._stage.run([{"CLIP_PIXELS": _sent(pixels)[None], "PROMPT": text_array([""])}])
        if isinstance(result, GatepostError):
            raise result
        scores: NDArray[np.float32] = result.arrays["IMAGE_SCORES"]
        return scores


def measure(split: Split, limit: int | None = None) -> dict[str, Any]:
    """AUC by category over cards, for concepts trained on and held out, and false alarms on photographs."""
    looks, held_out = Looks(), _held_out()
    kind = limit or KIND_CARDS
    total = kind + (limit or CARDS_A_CATEGORY) * len(_RISKY)
    drawn = tqdm(_cards(split, kind, limit or CARDS_A_CATEGORY), total=total, desc="images", unit="card", disable=None)
    judged = [(card.code, card.category, looks.scores(card.pixels)) for card in drawn]
    calm = np.stack([scores for _, category, scores in judged if not category])
    by_category: dict[str, list[dict[str, Any]]] = {}
    areas: dict[str, list[metrics.Figure]] = {"seen": [], "held-out": []}
    for category in _RISKY:
        column = CATEGORIES.index(category)
        if not any(scores[column] for _, _, scores in judged):
            continue  # the model judges no such category
        for concepts, figures in areas.items():
            of_kind = [
                scores[column]
                for code, name, scores in judged
                if name == category and (code in held_out) == (concepts == "held-out")
            ]
            if of_kind:
                area = metrics.auc(of_kind, calm[:, column])
                figures.append(area)
                row = {"concepts": concepts, "cards": len(of_kind), "auc": hundredfold(area)}
                by_category.setdefault(str(category), []).append(row)
    return {
        "by_category": by_category,
        "mean_auc": {name: hundredfold(metrics.mean(some)) for name, some in areas.items() if some},
        "kind_cards_flagged": percent(calm.max(axis=1) >= HELD),
        "photos": _photos(looks),
    }


def photographs(cache: Path = pictures.CACHE) -> list[Path]:
    """The few photographs that packages ship: scikit-learn's, matplotlib's and, where apt has it, Debian's."""
    folder = cache / "deb" / _PHOTOS
    if not folder.is_dir():
        try:
            _unpack(folder)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"{_PHOTOS} could not be fetched, its photographs are left out: {error}")
    bundled = Path(sklearn.datasets.__file__).parent / "images"
    return sorted(
        [
            *bundled.glob("*.jpg"),
            Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg",
            *folder.glob("usr/share/backgrounds/mate/nature/*.jpg"),
        ]
    )


def _held_out() -> frozenset[str]:
    """Code points that no drawing of was trained on, in whatever style (training/clip/risk.yaml)."""
    table = RiskTable.load()
    codes = (code for some in _RISKY.values() for code in some)
    return frozenset(code for code in codes if table.of_emoji(code, "").startswith("held_out"))


def _photos(looks: Looks) -> dict[str, Any]:
    files = photographs()
    worst = [float(looks.scores(cv2.imread(str(file))[..., ::-1]).max()) for file in files]
    origin = f"scikit-learn, matplotlib, Debian's {_PHOTOS}"
    return {**percent(score >= HELD for score in worst), "from": origin}


def _unpack(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["apt-get", "download", _PHOTOS], cwd=folder.parent, check=True)
    archive = next(folder.parent.glob(f"{_PHOTOS}_*.deb"))
    subprocess.run(["dpkg-deb", "-x", archive, folder], check=True)


def _cards(split: Split, kind: int, risky: int) -> Iterator[Pictured]:
    texts = [tuple(entry.lines) for entry in corpora.load(split.value, "kind_ordinary")]
    seed = split.seeds.start + _FIRST_SEED
    wanted: list[tuple[str, str]] = [
        (random.Random(n).choice(pictures.KIND + pictures.TRICKY), "") for n in range(kind)
    ]
    for category, codes in _RISKY.items():
        wanted += [(codes[number % len(codes)], str(category)) for number in range(risky)]
    for number, (code, category) in enumerate(wanted):
        lines = texts[number % len(texts)]
        card = compose(Wanted(lines, (code,), "plain", side=SIDE), seed + number, split)
        yield Pictured(card.pixels, code, category)


def _sent(pixels: Pixels) -> Pixels:
    """As decode scales a picture for the model: no side above 512."""
    scale = SIDE / max(pixels.shape[:2])
    if scale >= 1:
        return np.ascontiguousarray(pixels)
    return np.asarray(cv2.resize(np.ascontiguousarray(pixels), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
