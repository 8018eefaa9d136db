"""An open_clip model, loaded through its own API, as two functions: pictures and texts to unit vectors."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gatepost_server.domain.evidence import ModelVersion
from gatepost_server.engines.module import open_module
from gatepost_server.engines.pictures import Box, Cutter
from gatepost_server.engines.torchvision_shim import ensure_torchvision
from gatepost_server.stages.clip.expand import content_hash, expanded
from gatepost_server.stages.clip.tiles import cut

Vectors = NDArray[np.float32]
Pictures = NDArray[np.uint8] | torch.Tensor  # N, side, side, 3 RGB; a tensor where they lie on the device
_LOCAL = "local-dir:"  # open_clip's prefix for a folder
_MOST_AT_ONCE = 64  # pictures or texts in one forward, which bounds memory


@dataclass(frozen=True, slots=True)
class Choice:
    """Which model on which device. `model` is open_clip's name for it; "" is the one that is shipped in `directory`.

    `pretrained` is open_clip's tag or a checkpoint file. `cache` holds what is derived from the shipped files. `engine`
    "torch" runs the image tower on the CPU as a CUDA device does; `precision` is its own (engines.module).
    """

    directory: Path
    cache: Path
    model: str = ""
    pretrained: str = ""
    device: str = "cpu"
    threads: int = 1
    engine: str = "auto"
    precision: str = "auto"


class ClipModel:
    """Both towers of one model. Not safe to call from several threads at once."""

    def __init__(self, choice: Choice) -> None:
        """Raises RuntimeError, ValueError or OSError where open_clip cannot load the model."""
        ensure_torchvision()
        import open_clip

        torch.set_num_threads(choice.threads)
        self.shipped = not choice.model
        # What may be kept beside the weights; None where the weights are not ours to watch.
        self.folder: Path | None = expanded(choice.directory, choice.cache) if self.shipped else None
        name = f"{_LOCAL}{self.folder}" if self.shipped else choice.model
        net = open_clip.create_model(name, pretrained=choice.pretrained or None, pretrained_text=False).eval()
        net.requires_grad_(False)
        self._device = choice.device
        self._padding = _lighten_text_tower(net)
        self._net = net.to(choice.device)
        self._tokenize = open_clip.get_tokenizer(name)
        preprocess = open_clip.get_model_preprocess_cfg(net)
        self.side = _side(preprocess["size"])
        self._mean = np.array(preprocess["mean"], dtype=np.float32).reshape(3, 1, 1) * 255
        self._std = np.array(preprocess["std"], dtype=np.float32).reshape(3, 1, 1) * 255
        self.scale = float(net.logit_scale.exp())
        self.version = _version(choice, name)
        self._cutter = Cutter(choice.device) if choice.device == "cuda" or choice.engine == "torch" else None
        self._see = open_module(
            net.visual,
            np.zeros((2, 3, self.side, self.side), dtype=np.float32),
            device=choice.device,
            threads=choice.threads,
            engine=choice.engine,
            precision=choice.precision,
            cache=self.folder / "image" if self.folder else None,
        )
        del net.visual

    def cut(self, view: NDArray[np.uint8], parts: Sequence[Box]) -> Pictures:
        """The parts of an RGB picture [h, w, 3] as this model wants them, where its net lies."""
        return self._cutter(view, parts, self.side) if self._cutter else cut(view, parts, self.side)

    def encode_images(self, images: Pictures) -> Vectors:
        """Unit vectors [N, D] of pictures."""
        starts = range(0, len(images), _MOST_AT_ONCE)
        return _unit(np.concatenate([self._see(self._scaled(images[at : at + _MOST_AT_ONCE])) for at in starts]))

    def _scaled(self, images: Pictures) -> NDArray[np.float32] | torch.Tensor:
        """What the net takes in, [N, 3, side, side]."""
        if isinstance(images, torch.Tensor):
            mean, std = (torch.from_numpy(each).to(images.device) for each in (self._mean, self._std))
            return (images.permute(0, 3, 1, 2).float() - mean) / std
        pixels = np.ascontiguousarray(images.transpose(0, 3, 1, 2)).astype(np.float32)
        pixels -= self._mean  # in place and in the order of memory: a fifth of the time of one expression
        pixels /= self._std
        return pixels

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors [N, D] of texts; what goes beyond the model's context is cut off."""
        found = []
        with torch.inference_mode():
            for start in range(0, len(texts), _MOST_AT_ONCE):
                tokens = self._tokenize(list(texts[start : start + _MOST_AT_ONCE]))
                if self._padding is not None:
                    tokens = tokens[:, : int((tokens != self._padding).sum(1).max())]
                found.append(self._net.encode_text(tokens.to(self._device)).float().cpu().numpy())
        return _unit(np.concatenate(found))


def _lighten_text_tower(net: Any) -> int | None:
    """Halves a Hugging Face text tower's memory; returns its padding token.

    Such a tower masks padding, so columns of nothing else can be left out; open_clip's own towers want
    their full context.
    """
    from open_clip.hf_model import HFTextEncoder

    tower = getattr(net, "text", None)
    if not isinstance(tower, HFTextEncoder):
        return None
    tower.bfloat16()
    return int(tower.config.pad_token_id)


def joined(pictures: Sequence[Pictures]) -> Pictures:
    """All of them, one after another, where they lie."""
    if isinstance(pictures[0], torch.Tensor):
        return torch.cat(list(pictures))  # type: ignore[arg-type] # one model's pictures are of one kind
    return np.concatenate(pictures)


def _side(size: int | Sequence[int]) -> int:
    return size if isinstance(size, int) else int(size[0])


def _unit(vectors: NDArray[Any]) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Vectors = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return scaled


def _version(choice: Choice, name: str) -> ModelVersion:
    if not choice.model:
        return ModelVersion("gatepost-clip-lite0-e5", content_hash(choice.directory)[:12])
    if name.startswith(_LOCAL):  # verdicts tell callers the name, and no path of this host
        folder = Path(name.removeprefix(_LOCAL)).resolve()
        weights = sorted(file for kind in ("*.safetensors", "*.bin", "*.pth") for file in folder.glob(kind))
        return ModelVersion(folder.name, _digest(weights))
    path = Path(choice.pretrained)
    return ModelVersion(name, _digest([path]) if path.is_file() else choice.pretrained or "unknown")


def _digest(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:12]
