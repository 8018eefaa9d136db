"""CLIP as a stage: what the picture shows by category, and how well it fits its prompt."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.evidence import ModelVersion
from gatepost_server.domain.labels import CATEGORIES
from gatepost_server.engines.choose import cuda_is_there
from gatepost_server.engines.pictures import Box
from gatepost_server.stages.base import Arrays, StageResult
from gatepost_server.stages.clip.calibration import Calibration
from gatepost_server.stages.clip.model import Choice, ClipModel, Pictures, Vectors, joined
from gatepost_server.stages.clip.questions import Questions
from gatepost_server.stages.clip.tiles import WHOLE, boxes
from gatepost_server.tensors import contract

_PROMPTS_KEPT = 1024  # vectors of the latest prompts, a kilobyte each
_LONGEST_PROMPT = 4000  # characters; every text tower stops reading long before


@dataclass(frozen=True, slots=True)
class _Looks:
    """One request's pictures for the net, and the part of the image that each of them is."""

    images: Pictures
    parts: tuple[Box, ...]  # the same for every view
    views: int


class Clip:
    """Zero-shot scores over the whole image and overlapping tiles of every view.

    Parameters, all optional: `model` (a name that open_clip knows, or `local-dir:` and a folder; the
    shipped model when empty) and `pretrained` (open_clip's tag or a checkpoint file); `prompts` and
    `calibration` (files; with another model than the shipped one the raw log odds count as they are
    unless `calibration` is given); `tiles` ("0.6,0.4": tile sides as shares of the shorter side),
    `device` ("auto", "cpu", "cuda"), `engine` ("torch": on the CPU as on a CUDA device), `precision`
    (engines.module.open_module), `threads` (1), `cache` (folder for what is derived from the weights).
    """

    contract: ClassVar[contract.ModelContract] = contract.CLIP

    def __init__(self, parameters: Mapping[str, str]) -> None:
        directory = Path(parameters["directory"])
        device = parameters.get("device") or "auto"
        if device == "auto":
            device = "cuda" if cuda_is_there() else "cpu"
        self._model = ClipModel(
            Choice(
                directory=directory,
                cache=Path(parameters.get("cache") or _default_cache()),
                model=parameters.get("model", ""),
                pretrained=parameters.get("pretrained", ""),
                device=device,
                engine=parameters.get("engine", "auto"),
                precision=parameters.get("precision", "auto"),
                threads=int(parameters.get("threads", "1")),
            )
        )
        self._questions = Questions.ask(self._model, Path(parameters.get("prompts") or directory / "prompts.yaml"))
        self._calibration = _calibration(parameters, directory, self._questions.categories)
        self._tiles = tuple(float(side) for side in parameters.get("tiles", "0.6,0.4").split(",") if side)
        self._prompts: LRUCache[str, Vectors] = LRUCache(_PROMPTS_KEPT)

    @property
    def models(self) -> tuple[ModelVersion, ...]:
        return (self._model.version,)

    def run(self, items: Sequence[Arrays]) -> Sequence[StageResult | GatepostError]:
        """Judges all requests' views and tiles in one forward."""
        looks = [self._look(item["CLIP_PIXELS"]) for item in items]
        readable = [look.images for look in looks if isinstance(look, _Looks)]
        vectors = self._model.encode_images(joined(readable)) if readable else np.zeros((0, 0), np.float32)
        groups = iter(np.split(vectors, np.cumsum([len(images) for images in readable])[:-1]))
        prompts = self._prompt_vectors([_prompt(item["PROMPT"]) for item in items])
        return [
            look if isinstance(look, GatepostError) else self._answer(look, next(groups), prompt)
            for look, prompt in zip(looks, prompts, strict=True)
        ]

    def _look(self, views: NDArray[np.uint8]) -> _Looks | GatepostError:
        if views.ndim != 4 or 0 in views.shape or views.shape[-1] != 3:
            return GatepostError(
                ErrorCode.INTERNAL, ErrorReason.MODEL_OUTPUT_INVALID, "decoded pixels have no V x height x width x 3"
            )
        parts = boxes(views.shape[2], views.shape[1], self._tiles)
        return _Looks(joined([self._model.cut(view, parts) for view in views]), parts, len(views))

    def _prompt_vectors(self, prompts: Sequence[str]) -> list[Vectors | None]:
        unknown = list(dict.fromkeys(prompt for prompt in prompts if prompt and prompt not in self._prompts))
        fresh: dict[str, Vectors] = (
            dict(zip(unknown, self._model.encode_texts(unknown), strict=True)) if unknown else {}
        )
        found = [fresh.get(prompt, self._prompts.get(prompt)) if prompt else None for prompt in prompts]
        self._prompts.update(fresh)
        return found

    def _answer(self, look: _Looks, vectors: Vectors, prompt: Vectors | None) -> StageResult:
        raw = self._questions.raw_scores(vectors, self._model.scale)
        scores = np.zeros(len(CATEGORIES), dtype=np.float32)
        regions = np.tile(np.array(WHOLE, dtype=np.float32), (len(CATEGORIES), 1))
        for index, category in enumerate(CATEGORIES):
            if category not in self._calibration.lines or category not in self._questions.categories:
                continue
            of_category = raw[:, self._questions.categories.index(category)]
            worst = int(of_category.argmax())
            scores[index] = self._calibration.probability(category, of_category[worst])
            regions[index] = look.parts[worst % len(look.parts)]
        whole = vectors[:: len(look.parts)]  # every view's first picture
        similarity = float((whole @ prompt).max()) if prompt is not None else float("nan")
        return StageResult(
            {
                "IMAGE_SCORES": scores,
                "IMAGE_REGIONS": regions,
                "PROMPT_SIMILARITY": np.array([similarity], dtype=np.float32),
                "EMBEDDING": vectors[0],
            },
            looked_at={"views": look.views, "tiles": len(vectors)},
        )


def _prompt(array: NDArray[np.object_]) -> str:
    value = array[0]
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text.strip()[:_LONGEST_PROMPT]


def _calibration(parameters: Mapping[str, str], directory: Path, categories: Sequence[str]) -> Calibration:
    if parameters.get("calibration"):
        return Calibration.load(Path(parameters["calibration"]))
    if parameters.get("model"):
        return Calibration.none(categories)
    return Calibration.load(directory / "calibration.json")


def _default_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gatepost" / "clip"
