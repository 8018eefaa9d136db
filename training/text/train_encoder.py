"""Fine-tune the encoder: lower layers of multilingual-e5-small, one logit for each category.

    python -m training.text.train_encoder --data DATA

Writes a checkpoint to the cache folder after every epoch and every few minutes; started again, it goes on from
there. On one core with AMX an epoch takes about twelve minutes. export.py makes of the epochs' weights what is shipped.
"""

from __future__ import annotations

import argparse
import copy
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from gatepost_server.engines import q4
from gatepost_server.text.lexicon import read_lexicon
from training.text.data import CACHE, LEARNED, readings
from training.text.mix import Line, Mix
from training.text.tower import PAD, parameters_by_depth, read_tokenizer, read_tower, read_words

ROOT = Path(__file__).parents[2]
PACKED = ROOT / "model_repository/clip/1"  # multilingual-e5-small, pruned to Chinese and English
LEXICONS = ROOT / "model_repository/text_toxicity/1/lexicons"
SEED = 7
EPOCHS = 3
PIECES_IN_BATCH = 3_072
LONGEST = 48  # pieces
RATE = 2.5e-4  # of the head; 0.85 of it for each layer below
DECAY_BY_DEPTH, WEIGHT_DECAY = 0.85, 0.01
WARM_UP = 0.05  # of all steps
MINED = 3_000  # kind lines an epoch that the encoder was most wrong about
KEEP_EVERY = 180.0  # seconds between checkpoints


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of piece numbers (B, L), padded, with their targets and weights (B, k)."""

    pieces: NDArray[np.int64]
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]


def batches(lines: Sequence[Line], tokenizer: Tokenizer, rng: random.Random) -> list[Batch]:
    """Batches of lines of like length, in random order."""
    rows = [encoding.ids[:LONGEST] for encoding in tokenizer.encode_batch([line.text for line in lines])]
    order = sorted(range(len(rows)), key=lambda row: (len(rows[row]), rng.random()))
    made: list[Batch] = []
    members: list[int] = []
    for row in order:
        if members and (len(members) + 1) * len(rows[row]) > PIECES_IN_BATCH:
            made.append(_batch(lines, rows, members))
            members = []
        members.append(row)
    made.append(_batch(lines, rows, members))
    rng.shuffle(made)
    return made


def _batch(lines: Sequence[Line], rows: Sequence[list[int]], members: Sequence[int]) -> Batch:
    return Batch(
        padded([rows[row] for row in members]),
        np.stack([lines[row].targets for row in members]),
        np.stack([lines[row].weights for row in members]),
    )


def padded(rows: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Rows of one length, (B, L)."""
    full = np.full((len(rows), max(map(len, rows))), PAD, np.int64)
    for row, pieces in zip(full, rows, strict=True):
        row[: len(pieces)] = pieces
    return full


class Trainee:
    """The tower, its frozen word embeddings, and the optimiser.

    Forward and backward run on a bfloat16 copy; the optimiser steps the float32 weights.
    """

    def __init__(self, steps: int) -> None:
        torch.manual_seed(SEED)
        self.tower = read_tower(PACKED, len(LEARNED))
        self._fast = copy.deepcopy(self.tower).bfloat16()
        self._words = torch.from_numpy(q4.expand(read_words(PACKED))).bfloat16()
        depths = parameters_by_depth(self.tower)
        groups = [
            {"params": parameters, "lr": RATE * DECAY_BY_DEPTH ** (len(depths) - 1 - depth)}
            for depth, parameters in enumerate(depths)
        ]
        self.optimiser = torch.optim.AdamW(groups, weight_decay=WEIGHT_DECAY, fused=True)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, [group["lr"] for group in groups], steps, pct_start=WARM_UP, anneal_strategy="linear",
            cycle_momentum=False,
        )  # fmt: skip

    def logits(self, pieces: NDArray[np.int64]) -> Tensor:
        """(B, k) float32 for piece numbers (B, L)."""
        numbers = torch.from_numpy(pieces)
        found: Tensor = self._fast(self._words[numbers], (numbers != PAD).bfloat16())
        return found.float()

    def learn(self, batch: Batch) -> float:
        """One step; the loss of what is known, each line counting as one."""
        weights = torch.from_numpy(batch.weights)
        losses = F.binary_cross_entropy_with_logits(
            self.logits(batch.pieces), torch.from_numpy(batch.targets), weights, reduction="sum"
        )
        loss = losses / len(batch.pieces)
        loss.backward()  # type: ignore[no-untyped-call]
        for exact, fast in self._pairs():
            exact.grad = None if fast.grad is None else fast.grad.float()
            fast.grad = None
        torch.nn.utils.clip_grad_norm_(self.tower.parameters(), 1.0)
        self.optimiser.step()
        if self.schedule.last_epoch < self.schedule.total_steps - 1:  # how long later epochs are is an estimate
            self.schedule.step()
        self.refresh()
        return loss.item()

    def refresh(self) -> None:
        """Copy the weights to the bfloat16 twin."""
        with torch.no_grad():
            for exact, fast in self._pairs():
                fast.copy_(exact)

    def _pairs(self) -> Iterable[tuple[Tensor, Tensor]]:
        """Every weight and its twin."""
        return zip(self.tower.parameters(), self._fast.parameters(), strict=True)

    def train(self, mode: bool) -> None:
        """Dropout on or off."""
        self._fast.train(mode)


def score(trainee: Trainee, texts: Sequence[str], tokenizer: Tokenizer) -> NDArray[np.float32]:
    """Logits (n, k) of normalised texts, without dropout."""
    trainee.train(False)
    rows = [encoding.ids[:LONGEST] for encoding in tokenizer.encode_batch(list(texts))]
    order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
    found = np.zeros((len(rows), len(LEARNED)), np.float32)
    with torch.inference_mode():
        for start in range(0, len(order), 64):
            members = order[start : start + 64]
            found[members] = trainee.logits(padded([rows[row] for row in members])).numpy()
    trainee.train(True)
    return found


def mine(trainee: Trainee, pool: Sequence[Line], tokenizer: Tokenizer) -> list[Line]:
    """The kind lines that look least kind to the encoder."""
    worst = score(trainee, [line.text for line in pool], tokenizer).max(axis=1)
    return [pool[row] for row in np.argsort(-worst)[:MINED] if worst[row] > -2.0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.cache.mkdir(parents=True, exist_ok=True)
    tokenizer = read_tokenizer(PACKED)
    mix = Mix(options.data, read_lexicon(LEXICONS), readings(options.cache))
    first = batches(mix.epoch(SEED), tokenizer, random.Random(SEED))
    steps = int(options.epochs * len(first) * 1.05)  # mined lines make later epochs longer
    trainee = Trainee(steps)
    train(trainee, mix, tokenizer, options)


def train(trainee: Trainee, mix: Mix, tokenizer: Tokenizer, options: argparse.Namespace) -> None:
    """All epochs, from the checkpoint where there is one."""
    epochs, kept = options.epochs, options.cache / "encoder.pt"
    state = _resume(trainee, kept)
    for epoch in range(state["epoch"], epochs):
        seed = SEED + epoch
        lines = [*mix.epoch(seed), *state["mined"]]
        todo = batches(lines, tokenizer, random.Random(seed))
        done = state["step"]
        saved = time.monotonic()
        with tqdm(todo, initial=done, desc=f"epoch {epoch + 1} of {epochs}", mininterval=10) as progress:
            for step, loss in _steps(trainee, todo, done):
                progress.set_postfix(loss=f"{loss:.4f}", refresh=False)
                progress.update()
                if time.monotonic() - saved > KEEP_EVERY:
                    _save(trainee, kept, state | {"epoch": epoch, "step": step + 1})
                    saved = time.monotonic()
        mined = mine(trainee, mix.kind_pool(1_000 + seed), tokenizer) if epoch + 1 < epochs else []
        print("mined", len(mined), *(line.text for line in mined[:12]), sep="\n  ", flush=True)
        state = {"epoch": epoch + 1, "step": 0, "mined": [*mined, *mined]}
        torch.save(trainee.tower.state_dict(), epoch_file(options.cache, epoch + 1))
        _save(trainee, kept, state)


def epoch_file(cache: Path, epoch: int) -> Path:
    """Where the weights lie as they were after an epoch, the first being 1."""
    return cache / f"encoder-{epoch}.pt"


def _steps(trainee: Trainee, todo: Sequence[Batch], done: int) -> Iterator[tuple[int, float]]:
    average = 0.0
    for step in range(done, len(todo)):
        loss = trainee.learn(todo[step])
        average = loss if step == done else 0.98 * average + 0.02 * loss
        yield step, average


def _resume(trainee: Trainee, kept: Path) -> dict[str, Any]:
    if not kept.exists():
        return {"epoch": 0, "step": 0, "mined": []}
    found = torch.load(kept, weights_only=False)  # our own file of a minute ago
    trainee.tower.load_state_dict(found["tower"])
    trainee.optimiser.load_state_dict(found["optimiser"])
    trainee.schedule.load_state_dict(found["schedule"])
    trainee.refresh()
    state: dict[str, Any] = found["state"]
    return state


def _save(trainee: Trainee, kept: Path, state: dict[str, Any]) -> None:
    draft = kept.with_suffix(".draft")
    torch.save(
        {
            "tower": trainee.tower.state_dict(),
            "optimiser": trainee.optimiser.state_dict(),
            "schedule": trainee.schedule.state_dict(),
            "state": state,
        },
        draft,
    )
    draft.replace(kept)


if __name__ == "__main__":
    main()
