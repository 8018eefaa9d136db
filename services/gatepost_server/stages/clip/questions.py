"""The zero-shot questions as one model understands them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray

from gatepost_server.stages.clip.prompts import PromptSet, entry_vectors, raw_scores


class TextEncoder(Protocol):
    """What Questions needs of a model; `folder` may keep derived files, where there is one."""

    folder: Path | None

    def encode_texts(self, texts: list[str]) -> NDArray[np.float32]:
        """Unit vectors [N, D]."""
        ...


@dataclass(frozen=True, slots=True)
class Questions:
    """Unit vectors of all entries, and where each category's lie."""

    categories: tuple[str, ...]
    entries: NDArray[np.float32]
    spans: tuple[slice, ...]

    @classmethod
    def ask(cls, model: TextEncoder, path: Path) -> Self:
        """Encodes the file's prompts, or reads their vectors from the model's folder."""
        prompts = PromptSet.load(path)
        kept = model.folder / f"prompts-{_digest(path)}.npy" if model.folder else None
        if kept is not None and kept.exists():
            entries = np.load(kept)
        else:
            texts = model.encode_texts([text for entry in prompts.entries for text in entry])
            entries = entry_vectors(torch.from_numpy(texts), prompts.entries).numpy()
            if kept is not None:
                _keep(entries, kept)
        return cls(tuple(prompts.categories), entries, prompts.spans())

    def raw_scores(self, images: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
        """Log odds by category [N, categories] of unit image vectors [N, D]."""
        raw = raw_scores(torch.from_numpy(images), torch.from_numpy(self.entries), self.spans, scale)
        found: NDArray[np.float32] = raw.numpy()
        return found


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _keep(entries: NDArray[np.float32], path: Path) -> None:
    """Renamed into place, so that nobody reads half a file."""
    draft = path.with_name(f"{path.stem}.{id(entries):x}.draft.npy")
    np.save(draft, entries)
    draft.replace(path)
