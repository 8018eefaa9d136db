"""The compact model: EfficientNet-lite0 and multilingual-e5-small joined by two trained projections.

It is an open_clip CustomTextCLIP; `start` writes the untrained parts as the folder that the service
ships, which open_clip then loads (gatepost_server.stages.clip.expand).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from gatepost_server.engines.torchvision_shim import ensure_torchvision
from training.clip import sources, text_tower
from training.clip.cards import SIDE

ensure_torchvision()
import timm  # noqa: E402

TRUNK = "tf_efficientnet_lite0"
EMBEDDING = 256
HIDDEN = 80  # channels before blocks[LATE:]
LATE = 4  # blocks[LATE:] are fine-tuned; what lies before stays as ImageNet made it


def write_text(cache: Path, folder: Path, texts: list[str]) -> None:
    """Writes the text tower's shards, configuration and tokenizer; `texts` choose English pieces."""
    net = text_tower.read(sources.text_tower(cache))
    keep = text_tower.keep_pieces(net, texts)
    state = {f"text.transformer.{name}": value for name, value in text_tower.packed_state(net, keep).items()}
    words = "text.transformer.embeddings.word_embeddings.weight"
    folder.mkdir(parents=True, exist_ok=True)
    _save({words: state.pop(words)}, folder / "text_words.safetensors")
    _save(state, folder / "text_layers.safetensors")
    (folder / "config.json").write_text(json.dumps(text_tower.bert_config(net, keep), indent=1) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(text_tower.tokenizer_config(), indent=1) + "\n")
    text_tower.tokenizer(net, keep).save(str(folder / "tokenizer.json"))
    (folder / "open_clip_config.json").write_text(json.dumps(open_clip_config(), indent=1) + "\n")


def open_clip_config() -> dict[str, object]:
    """open_clip's description of the model. `expand` puts the folder's path in place of "."."""
    return {
        "model_cfg": {
            "embed_dim": EMBEDDING,
            "vision_cfg": {
                "image_size": SIDE,
                "timm_model_name": TRUNK,
                "timm_model_pretrained": False,
                "timm_pool": "avg",
                "timm_proj": "mlp",
            },
            "text_cfg": {
                "hf_model_name": ".",
                "hf_tokenizer_name": ".",
                "hf_model_pretrained": False,
                "hf_pooler_type": "mean_pooler",
                "hf_proj_type": "linear",
                "context_length": text_tower.CONTEXT,
            },
        },
        "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "resize_mode": "squash"},
    }


def imagenet_net(cache: Path) -> torch.nn.Module:
    """timm's EfficientNet-lite0 with the package's weights and its 1000-way classifier.

    The package's file names its tensors differently but lists them in the same order.
    """
    net = timm.create_model(TRUNK, pretrained=False).eval()
    weights = torch.load(sources.image_trunk(cache), map_location="cpu", weights_only=True)
    theirs = [value for name, value in weights.items() if "num_batches" not in name]
    ours = [name for name in net.state_dict() if "num_batches" not in name]
    net.load_state_dict(dict(zip(ours, theirs, strict=True)), strict=False)
    return net


def imagenet_names() -> list[str]:
    """English names of the classifier's 1000 classes, in order."""
    return [name.split(",")[0] for name in timm.data.ImageNetInfo().label_descriptions()]


class Early(torch.nn.Module):
    """The frozen part: [N, 3, SIDE, SIDE] in -1..1 -> [N, HIDDEN, SIDE / 16, SIDE / 16]."""

    def __init__(self, trunk: torch.nn.Module) -> None:
        super().__init__()
        self.stem, self.norm, self.blocks = trunk.conv_stem, trunk.bn1, trunk.blocks[:LATE]

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        hidden: torch.Tensor = self.blocks(self.norm(self.stem(pixels)))
        return hidden


def late(trunk: torch.nn.Module, hidden: torch.Tensor) -> torch.Tensor:
    """The fine-tuned part, pooled: [N, 1280]."""
    return trunk.bn2(trunk.conv_head(trunk.blocks[LATE:](hidden))).mean((2, 3))


def to_pixels(images: np.ndarray) -> np.ndarray:
    """uint8 [N, H, W, 3] -> float32 [N, 3, H, W] in -1..1."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1)


def save_image_part(state: Mapping[str, torch.Tensor], folder: Path) -> None:
    """Writes everything but the text tower, in half precision."""
    halves = {
        name: value.cpu().half().numpy() if value.is_floating_point() else value.cpu().numpy()
        for name, value in state.items()
        if not name.startswith("text.transformer.")
    }
    _save(halves, folder / "image.safetensors")


def _save(state: Mapping[str, np.ndarray], path: Path) -> None:
    save_file({name: np.ascontiguousarray(value) for name, value in state.items()}, path)
    path.chmod(0o644)  # safetensors writes for the owner alone
