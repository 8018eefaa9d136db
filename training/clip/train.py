"""Trains the compact CLIP model: `python -m training.clip.train --help`.

The trunk's first stages stay frozen, so their outputs can be kept: every step draws some new cards,
puts their features into a ring, and trains on them and on a sample of the ring, in which cards that
the model got wrong come back more often. The text tower is frozen too; both projections, the logit
scale and the trunk's last stages learn.
"""

from __future__ import annotations

import argparse
import copy
import json
import logging
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from cachetools import LRUCache

from gatepost_server.stages.clip.expand import expanded
from gatepost_server.stages.clip.prompts import PromptSet, entry_vectors, raw_scores
from training.clip import depthwise, losses, model, sources, sprites
from training.clip.drawing import DeviceDrawer, Drawer, HostDrawer
from training.clip.risk import CATEGORIES

import open_clip  # isort: skip  (importable once training.clip.model has been imported)

TRAIN_SETS = (*sources.ICONIFY_EMOJI_TRAIN, *sources.ICONIFY_ICONS_TRAIN, "openclipart")
_CONCEPTS = 4  # at most so many pictograms a card
_SEED_STRIDE = 1_000_000  # seeds of one run's cards
_MOST_WRONG = 4.0  # nats; a card that no model could get right must not fill the batches
_TEXTS_KEPT = 50_000
log = logging.getLogger("training.clip")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what comes out."""

    seed: int = 0
    steps: int = 2000
    batch: int = 112
    fresh: int = 44  # new cards a step
    hard: int = 34  # cards of the ring a step that are chosen by how wrong their scores were
    ring: int = 10_000  # cards whose features are kept
    fill: int = 1_500  # cards drawn before the first step
    head_rate: float = 2e-3
    trunk_rate: float = 6e-4
    risk_weight: float = 1.5
    remember_weight: float = 0.5
    class_weight: float = 0.3


class Ring:
    """The latest cards as the frozen parts see them."""

    def __init__(self, size: int, device: str) -> None:
        self._size, self._next, self.count = size, 0, 0
        side = model.SIDE // 16
        self.hidden = torch.empty(size, model.HIDDEN, side, side, dtype=torch.bfloat16, device=device)
        self.text = torch.empty(size, 384, device=device)
        self.concepts = torch.empty(size, _CONCEPTS, dtype=torch.long, device=device)
        self.risks = torch.empty(size, len(CATEGORIES), dtype=torch.long, device=device)
        self.wrong = torch.empty(size, device=device)  # the latest risk loss of each card

    def add(
        self, hidden: torch.Tensor, text: torch.Tensor, concepts: torch.Tensor, risks: torch.Tensor
    ) -> torch.Tensor:
        """Overwrites the oldest entries; returns where the new ones are."""
        index = (torch.arange(len(hidden), device=self.hidden.device) + self._next) % self._size
        self.hidden[index], self.text[index] = hidden.bfloat16(), text
        self.concepts[index], self.risks[index] = concepts, risks
        self.wrong[index] = 0.0
        self._next = (self._next + len(hidden)) % self._size
        self.count = min(self.count + len(hidden), self._size)
        return index

    def sample(self, evenly: int, hard: int) -> torch.Tensor:
        """Places of some entries chosen evenly and of others chosen by how wrong the model was about them."""
        weights = self.wrong[: self.count].clamp(max=_MOST_WRONG) + 1e-3
        even = torch.randint(self.count, (evenly,), device=weights.device)
        return torch.cat([even, torch.multinomial(weights, hard)])


class Trainer:
    """Holds the model, its teacher and the ring; `run` trains and leaves checkpoints."""

    def __init__(self, cache: Path, folder: Path, recipe: Recipe, device: str, compose: str) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.device = recipe, device
        self.concept_numbers: dict[str, int] = {}
        imagenet = model.imagenet_net(cache).to(device)
        self.classifier = imagenet.classifier.requires_grad_(False)
        local = expanded(folder, cache / "expanded")
        self.clip = open_clip.create_model(f"local-dir:{local}", load_weights=False, pretrained_text=False).to(device)
        weights = _load_text(local)
        self.clip.load_state_dict(weights, strict=False)
        trunk = imagenet.state_dict()
        self.clip.visual.trunk.load_state_dict({n: v for n, v in trunk.items() if not n.startswith("classifier")})
        self.clip.eval()  # batch norm keeps ImageNet's statistics
        self.clip.to(memory_format=torch.channels_last)
        self.trunk = self.clip.visual.trunk
        drawer = {"host": HostDrawer, "device": DeviceDrawer}[compose]
        self.drawer: Drawer = drawer(cache, TRAIN_SETS, self.trunk, device)
        depthwise.freeze(self.trunk.blocks[model.LATE :])
        self.teacher = copy.deepcopy(self.trunk).requires_grad_(False)
        self.texts: LRUCache[str, torch.Tensor] = LRUCache(_TEXTS_KEPT)
        self.tokenizer = open_clip.get_tokenizer(f"local-dir:{local}")
        self.ring = Ring(recipe.ring, device)
        self.prompts = PromptSet.load(folder / "prompts.yaml")
        texts = [text for entry in self.prompts.entries for text in entry]
        self.prompt_pooled = self._pooled(texts)
        self.class_pooled = [
            self._pooled([form.format(name) for name in model.imagenet_names()]) for form in ("a photo of a {}", "{}")
        ]
        self._choose_parameters()

    def _choose_parameters(self) -> None:
        self.clip.requires_grad_(False)
        self.heads = [*self.clip.visual.head.parameters(), *self.clip.text.proj.parameters()]
        kernels = depthwise.kernels(self.trunk)
        self.tail = [*self.trunk.blocks[model.LATE :].parameters(), *self.trunk.conv_head.parameters()]
        self.tail = [*(each for each in self.tail if id(each) not in kernels), *self.trunk.bn2.parameters()]
        for parameter in (*self.heads, *self.tail, self.clip.logit_scale):
            parameter.requires_grad_(True)
        groups = [
            {"params": self.heads, "weight_decay": 0.02},
            {"params": [self.clip.logit_scale], "weight_decay": 0.0},
            {"params": self.tail, "weight_decay": 0.02},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=self.recipe.head_rate)

    def _set_rates(self, step: int) -> None:
        """Linear warm-up over a tenth of the steps, then a cosine to zero."""
        done = step / self.recipe.steps
        share = done / 0.1 if done < 0.1 else (1 + math.cos(math.pi * (done - 0.1) / 0.9)) / 2
        rates = (self.recipe.head_rate, self.recipe.head_rate, self.recipe.trunk_rate)
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * max(share, 0.02)

    @torch.no_grad()
    def _pooled(self, texts: list[str]) -> torch.Tensor:
        """The frozen text tower's mean over tokens [N, 384], before the projection."""
        pooled = []
        for start in range(0, len(texts), 64):
            tokens = self.tokenizer(texts[start : start + 64]).to(self.device)
            tokens = tokens[:, : int((tokens != 1).sum(1).max())]  # 1 is padding
            mask = (tokens != 1).long()
            with self._half():
                out = self.clip.text.transformer(input_ids=tokens, attention_mask=mask)
            pooled.append(self.clip.text.pooler(out, mask).float())
        return torch.cat(pooled)

    def _half(self) -> torch.autocast:
        return torch.autocast(self.device, torch.bfloat16)

    @torch.no_grad()
    def _draw(self, seeds: range) -> torch.Tensor:
        """Draws cards and puts them into the ring; returns their places."""
        drawn = self.drawer.draw([self.recipe.seed * _SEED_STRIDE + seed for seed in seeds])
        concepts = torch.full((len(drawn.concepts), _CONCEPTS), -1, dtype=torch.long)
        for row, names in enumerate(drawn.concepts):
            numbers = [self.concept_numbers.setdefault(name, len(self.concept_numbers)) for name in names]
            concepts[row, : len(numbers)] = torch.tensor(numbers)
        risks = torch.tensor(drawn.risks)
        text = self._captions(drawn.captions)
        return self.ring.add(drawn.hidden, text, concepts.to(self.device), risks.to(self.device))

    def _captions(self, captions: list[str]) -> torch.Tensor:
        """Pooled captions [N, 384]. What is known is taken out first, for what is new may push it out of the cache."""
        found = {text: self.texts[text] for text in captions if text in self.texts}
        unknown = [text for text in dict.fromkeys(captions) if text not in found]
        if unknown:
            found |= dict(zip(unknown, self._pooled(unknown), strict=True))
        self.texts.update(found)
        return torch.stack([found[text] for text in captions])

    def _standardise(self) -> None:
        """Starts both projections at inputs of mean 0 and variance 1, for e5's vectors are nearly parallel."""
        with torch.no_grad():
            features = model.late(self.trunk, self.ring.hidden[: self.ring.count].float())
            mean, deviation = features.mean(0), features.std(0) + 0.05
            self.feature_mean, self.feature_std = mean, deviation
            first = self.clip.visual.head.mlp.fc1
            first.weight /= deviation
            first.bias -= first.weight @ mean
            texts = self.ring.text[: self.ring.count]
            mean, deviation = texts.mean(0), texts.std(0) + 1e-3
            # The projection has no bias; along `constant` every text measures close to 1.
            constant = mean / mean.square().sum()
            weight = self.clip.text.proj.weight
            weight /= deviation
            weight -= torch.outer(weight @ mean, constant)

    def _step(self, new: torch.Tensor) -> dict[str, float]:
        recipe, scale = self.recipe, self.clip.logit_scale.exp()
        evenly = recipe.batch - len(new) - recipe.hard
        index = torch.cat([new, self.ring.sample(evenly, recipe.hard)])
        hidden = self.ring.hidden[index].contiguous(memory_format=torch.channels_last)
        with self._half():
            features = model.late(self.trunk, hidden).float()
            with torch.no_grad():
                before = model.late(self.teacher, hidden[::3]).float()
        images = F.normalize(self.clip.visual.head(features), dim=-1)
        texts = F.normalize(self.clip.text.proj(self.ring.text[index]), dim=-1)
        prompts = F.normalize(self.clip.text.proj(self.prompt_pooled), dim=-1)
        entries = entry_vectors(prompts, self.prompts.entries)
        spans = self.prompts.spans()
        raw = raw_scores(images, entries, spans, scale)[:, [list(self.prompts.categories).index(c) for c in CATEGORIES]]
        wrong = losses.risk(raw, self.ring.risks[index])
        self.ring.wrong[index] = wrong.detach()
        parts = {
            "contrast": losses.contrastive(images, texts, scale, self.ring.concepts[index]),
            "risk": wrong.mean(),
            "remember": losses.remember(self.classifier(features[::3]), self.classifier(before)),
            "classes": self._class_loss(scale),
        }
        total = (
            parts["contrast"]
            + recipe.risk_weight * parts["risk"]
            + recipe.remember_weight * parts["remember"]
            + recipe.class_weight * parts["classes"]
        )
        self.optimizer.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_([*self.heads, *self.tail], 5.0)
        self.optimizer.step()
        self.clip.logit_scale.data.clamp_(max=4.0)
        return {name: float(value.detach()) for name, value in parts.items()}

    def _class_loss(self, scale: torch.Tensor) -> torch.Tensor:
        """Photographs without photographs: features near ImageNet's class weights must find the class names.

        A class weight points to the middle of its photographs' features, so a point along it from the
        mean, with noise, stands for one (after DeViSE, Frome et al. 2013).
        """
        chosen = torch.randperm(1000, device=self.device)[:192]
        weight = self.classifier.weight
        direction = F.normalize(weight[chosen] - weight.mean(0), dim=-1)
        length = (
            torch.empty(len(chosen), 1, device=self.device).uniform_(8, 18) * self.feature_std.square().mean().sqrt()
        )
        features = self.feature_mean + length * direction + torch.randn_like(direction) * self.feature_std * 0.5
        images = F.normalize(self.clip.visual.head(features.clamp(min=0)), dim=-1)
        pooled = self.class_pooled[int(torch.randint(2, ()))]
        texts = F.normalize(self.clip.text.proj(pooled[chosen]), dim=-1)
        return losses.contrastive(images, texts, scale, chosen[:, None])

    def run(self, work: Path) -> None:
        """Trains to the last step, going on from the checkpoint in `work` where there is one."""
        work.mkdir(parents=True, exist_ok=True)
        checkpoint, done = work / "checkpoint.pt", 0
        recipe, started = self.recipe, time.monotonic()
        if checkpoint.exists():
            done = self._resume(torch.load(checkpoint, map_location=self.device, weights_only=True))
        for start in range(0, recipe.fill, 50):
            self._draw(range(start, start + 50))
        if not done:
            self._standardise()
        log.info(
            "ring filled with %d cards after %.0f s; %d steps are done",
            self.ring.count,
            time.monotonic() - started,
            done,
        )
        for step in range(done, recipe.steps):
            torch.manual_seed(recipe.seed * _SEED_STRIDE + step)
            self._set_rates(step)
            first = recipe.fill + step * recipe.fresh
            parts = self._step(self._draw(range(first, first + recipe.fresh)))
            if step % 10 == 0:
                told = " ".join(f"{name} {value:.3f}" for name, value in parts.items())
                log.info(
                    "step %d %s scale %.1f %.0f s",
                    step,
                    told,
                    self.clip.logit_scale.exp().item(),
                    time.monotonic() - started,
                )
            if step % 25 == 24 or step + 1 == recipe.steps:
                self._save(checkpoint, step + 1)

    def _save(self, path: Path, done: int) -> None:
        learnt = {n: v for n, v in self.clip.state_dict().items() if not n.startswith("text.transformer.")}
        draft = path.with_suffix(".draft")
        torch.save(
            {
                "done": done,
                "model": learnt,
                "optimizer": self.optimizer.state_dict(),
                "feature_mean": self.feature_mean,
                "feature_std": self.feature_std,
            },
            draft,
        )
        draft.replace(path)

    def _resume(self, saved: dict[str, object]) -> int:
        self.clip.load_state_dict(saved["model"], strict=False)
        self.optimizer.load_state_dict(saved["optimizer"])
        self.feature_mean, self.feature_std = saved["feature_mean"], saved["feature_std"]
        return int(saved["done"])


def _load_text(local: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    state = load_file(local / "open_clip_model.safetensors")
    return {name: value for name, value in state.items() if name.startswith("text.transformer.")}


def english_texts(cache: Path) -> list[str]:
    """English whose pieces the tokenizer has to keep: a word list, class names, and the pictures' names."""
    texts = sources.english_words(cache) + model.imagenet_names()
    for name in TRAIN_SETS:
        texts += [text for sprite in sprites.load(cache, name).sprites for text in sprite.en]
    return texts + [text.capitalize() for text in texts]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/gatepost/training")
    parser.add_argument(
        "--model", type=Path, default=Path("model_repository/clip/1"), help="the folder that is shipped"
    )
    parser.add_argument("--work", type=Path, help="checkpoints (default: CACHE/clip)")
    parser.add_argument("--steps", type=int, default=Recipe().steps)
    parser.add_argument("--seed", type=int, default=Recipe().seed)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--compose",
        choices=("host", "device"),
        help="where cards are drawn: with PIL, or with torch on the device (default: on a GPU, where there is one)",
    )
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(given.threads)
    sources.fetch(given.cache)
    if not (given.model / "text_layers.safetensors").exists():
        model.write_text(given.cache, given.model, english_texts(given.cache))
    recipe = Recipe(seed=given.seed, steps=given.steps)
    compose = given.compose or ("host" if given.device == "cpu" else "device")
    trainer = Trainer(given.cache, given.model, recipe, given.device, compose)
    work = given.work or given.cache / "clip"
    trainer.run(work)
    model.save_image_part(trainer.clip.state_dict(), given.model)
    (work / "recipe.json").write_text(json.dumps(asdict(recipe), indent=1) + "\n")


if __name__ == "__main__":
    main()
