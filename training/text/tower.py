"""The encoder as a torch module: lower layers of multilingual-e5-small and one logit for each category.

Word embeddings stay outside and frozen: the module takes their rows, as the shipped net does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F

from gatepost_server.engines import q4

LAYERS = 8  # of 12: as many as one file of the repository holds, and as a line's few milliseconds allow
HIDDEN, HEADS, FEED_FORWARD, POSITIONS = 384, 12, 1536, 64
PAD = 1  # the tokenizer's <pad>
_PREFIX = "text.transformer."
_WORDS = "embeddings.word_embeddings.weight"
_DROPOUT = 0.1


class Layer(nn.Module):
    """One BERT layer (post-norm). Attention is spelled out: on a CPU its backward pass is twice as fast as the
    fused one for rows this short."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(HIDDEN, HIDDEN) for _ in range(3))
        self.attended = nn.Linear(HIDDEN, HIDDEN)
        self.attended_norm = nn.LayerNorm(HIDDEN, eps=1e-12)
        self.wide = nn.Linear(HIDDEN, FEED_FORWARD)
        self.narrow = nn.Linear(FEED_FORWARD, HIDDEN)
        self.out_norm = nn.LayerNorm(HIDDEN, eps=1e-12)

    def forward(self, rows: Tensor, mask: Tensor) -> Tensor:
        """Rows (B, L, HIDDEN); mask (B, 1, 1, L), 0 where there is a piece, very negative at padding."""
        query, key, value = (self._heads(part(rows)) for part in (self.query, self.key, self.value))
        weights = torch.softmax(query @ key.transpose(-1, -2) * (HIDDEN // HEADS) ** -0.5 + mask, dim=-1)
        mixed = (weights @ value).transpose(1, 2).reshape(*rows.shape[:2], HIDDEN)
        rows = self.attended_norm(rows + self._dropped(self.attended(mixed)))
        wide: Tensor = self.out_norm(rows + self._dropped(self.narrow(F.gelu(self.wide(rows)))))
        return wide

    def _dropped(self, rows: Tensor) -> Tensor:
        """Dropout of the same features at every piece (Gal and Ghahramani 2016). A mask for each piece does no more
        against learning by heart, and drawing its random numbers costs a sixth of the time."""
        if not self.training:
            return rows
        return rows * F.dropout(rows.new_ones(len(rows), 1, HIDDEN), _DROPOUT)

    def _heads(self, rows: Tensor) -> Tensor:
        return rows.reshape(*rows.shape[:2], HEADS, HIDDEN // HEADS).transpose(1, 2)


class Tower(nn.Module):
    """Word rows to logits."""

    def __init__(self, categories: int, layers: int = LAYERS) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.zeros(POSITIONS, HIDDEN))
        self.norm = nn.LayerNorm(HIDDEN, eps=1e-12)
        self.layers = nn.ModuleList(Layer() for _ in range(layers))
        self.head = nn.Linear(HIDDEN, categories)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def forward(self, words: Tensor, there: Tensor) -> Tensor:
        """Logits (B, k) of word rows (B, L, HIDDEN); `there` (B, L) is 1 at pieces and 0 at padding."""
        rows = self.norm(words + self.positions[: words.shape[1]])
        mask = (there[:, None, None, :] - 1.0) * 1e4
        for layer in self.layers:
            rows = layer(rows, mask)
        mean = (rows * there[:, :, None]).sum(1) / there.sum(1, keepdim=True)
        logits: Tensor = self.head(F.dropout(mean, _DROPOUT, self.training))
        return logits


def read_words(folder: Path) -> NDArray[np.uint8]:
    """The word embeddings of the packed tower in `folder`, as Q4_0 blocks (pieces, bytes)."""
    return np.asarray(load_file(folder / "text_words.safetensors")[_PREFIX + _WORDS])


def read_tower(folder: Path, categories: int) -> Tower:
    """The lower layers of the packed tower in `folder` with a fresh head."""
    shards = load_file(folder / "text_layers.safetensors")
    packed = {name.removeprefix(_PREFIX): value for name, value in shards.items()}
    tower = Tower(categories)
    state = {name: torch.from_numpy(value) for name, value in _renamed(packed)}
    state |= {name: value for name, value in tower.state_dict().items() if name.startswith("head.")}
    tower.load_state_dict(state)
    return tower


def tower_of(state: Mapping[str, Tensor]) -> Tower:
    """The tower of a checkpoint, with as many layers as that has."""
    layers = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("layers."))
    tower = Tower(len(state["head.bias"]), layers)
    tower.load_state_dict(state)
    return tower


def read_tokenizer(folder: Path) -> Tokenizer:
    """The pruned tokenizer, cut off at POSITIONS pieces."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(POSITIONS)
    return tokenizer


def parameters_by_depth(tower: Tower) -> list[list[nn.Parameter]]:
    """What is trained, from the embeddings' norm up to the head: one list for each depth."""
    below = [*tower.norm.parameters(), tower.positions]
    return [below, *(list(layer.parameters()) for layer in tower.layers), list(tower.head.parameters())]


def _renamed(packed: Mapping[str, NDArray[np.generic]]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """(name here, plain numbers) of every tensor that the tower has."""
    kinds = packed["embeddings.token_type_embeddings.weight"][0].astype(np.float32)
    positions = packed["embeddings.position_embeddings.weight"][:POSITIONS].astype(np.float32)
    yield "positions", positions + kinds  # one token type only, so it may as well be added here
    names = {
        "attention.self.query": "query",
        "attention.self.key": "key",
        "attention.self.value": "value",
        "attention.output.dense": "attended",
        "attention.output.LayerNorm": "attended_norm",
        "intermediate.dense": "wide",
        "output.dense": "narrow",
        "output.LayerNorm": "out_norm",
    }
    pairs = {"embeddings.LayerNorm": "norm"}
    pairs |= {f"encoder.layer.{i}.{old}": f"layers.{i}.{new}" for i in range(LAYERS) for old, new in names.items()}
    for old, new in pairs.items():
        for part in ("weight", "bias"):
            value = packed[f"{old}.{part}"]
            plain = q4.expand(value) if value.dtype == np.uint8 else value
            yield f"{new}.{part}", plain.astype(np.float32)
