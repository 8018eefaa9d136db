"""Where the training's cards come from: drawn with PIL on the host, or with torch on the device that trains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from gatepost_server.engines.module import open_module
from training.clip import model
from training.clip.cards import CardMaker
from training.clip.painter import Painter
from training.clip.plans import Planner


@dataclass(frozen=True, slots=True)
class Drawn:
    """A batch: the frozen stages' outputs [B, model.HIDDEN, s, s] on the device, and what its cards show."""

    hidden: Tensor
    captions: list[str]
    concepts: list[tuple[str, ...]]
    risks: list[tuple[int, ...]]


class Drawer(Protocol):
    """Draws the cards of some seeds and shows them to the frozen part of the trunk."""

    def draw(self, seeds: Sequence[int]) -> Drawn:
        """The same seeds always give the same cards."""
        ...


class HostDrawer:
    """PIL draws on the host; the frozen stages run in the engine that fits the device."""

    def __init__(self, cache: Path, sets: tuple[str, ...], trunk: torch.nn.Module, device: str) -> None:
        self._maker, self._device = CardMaker(cache, sets), device
        example = np.zeros((2, 3, model.SIDE, model.SIDE), np.float32)
        self._early = open_module(model.Early(trunk), example, device=device, threads=torch.get_num_threads())

    def draw(self, seeds: Sequence[int]) -> Drawn:
        """See Drawer."""
        cards = [self._maker.draw(seed) for seed in seeds]
        hidden = self._early(model.to_pixels(np.stack([card.pixels for card in cards])))
        return Drawn(
            torch.from_numpy(hidden).to(self._device),
            [card.caption for card in cards],
            [card.concepts for card in cards],
            [card.risks for card in cards],
        )


class DeviceDrawer:
    """torch draws where the training runs; no picture passes through the host."""

    def __init__(self, cache: Path, sets: tuple[str, ...], trunk: torch.nn.Module, device: str) -> None:
        self._planner = Planner(cache, sets)
        self._painter = Painter(self._planner.atlas(), self._planner.letters, device)
        self._early, self._device = model.Early(trunk), device

    @torch.no_grad()
    def draw(self, seeds: Sequence[int]) -> Drawn:
        """See Drawer."""
        plans = [self._planner.plan(seed) for seed in seeds]
        generator = torch.Generator(self._device).manual_seed(seeds[0])
        pixels = self._painter.paint(plans, generator).float() / 127.5 - 1
        with torch.autocast(self._device, torch.bfloat16):
            hidden = self._early(pixels.contiguous(memory_format=torch.channels_last))
        return Drawn(
            hidden.float(),
            [plan.caption for plan in plans],
            [plan.concepts for plan in plans],
            [plan.risks for plan in plans],
        )
