"""What a fault is, and what it may lay hands on."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.chaos.cards import Known
from benchmarks.chaos.keeper import Keeper
from benchmarks.chaos.ledger import Ledger
from benchmarks.chaos.load import Load
from benchmarks.chaos.overlay import Overlay
from benchmarks.targets import Target

STAGES = ("decode", "ocr_detect", "ocr_recognize", "text_toxicity", "clip", "fusion")


@dataclass(slots=True)
class Scene:
    """A running gatepost under load. `capacity_per_s` is how many cards it judges in a second."""

    keeper: Keeper
    load: Load
    ledger: Ledger
    rng: random.Random
    overlay: Overlay
    cards: Sequence[Known]
    data: Path
    capacity_per_s: float = 0.0
    figures: list[Target] = field(default_factory=list)  # what a fault measured besides


# Injects the fault and returns when it is over, or done: from then on the way back to full service is timed.
# Gets the count of the injection, from 0.
Inject = Callable[[Scene, int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the report."""

    name: str
    inject: Inject
    times: int = 1
    within_s: float = 30.0  # full service, at the latest
