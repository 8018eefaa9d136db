"""What a scorer is: something that looks at one image and says what it saw."""

from __future__ import annotations

from enum import IntEnum
from typing import Protocol

from gatepost_server.domain.decision import ModerationRequest
from gatepost_server.domain.evidence import Evidence


class Priority(IntEnum):
    """Who goes first when requests wait: Triton's priority levels, 1 is the highest."""

    INTERACTIVE = 1  # somebody waits for it
    NEARLINE = 2  # needed soon
    RESCAN = 3  # stored images that are looked at again


class Scorer(Protocol):
    """Gives evidence for images. Safe for many concurrent calls in one event loop."""

    async def score(
        self, request: ModerationRequest, *, timeout_s: float, priority: Priority = Priority.INTERACTIVE
    ) -> Evidence:
        """Look at one image.

        Raises GatepostError: INVALID_ARGUMENT for an image that cannot be judged, DEADLINE_EXCEEDED after
        `timeout_s` seconds, UNAVAILABLE while the models are away, INTERNAL when their answer is unusable.
        RESOURCE_EXHAUSTED when too many calls are out. A cancelled call ends at once; the work may go on unseen,
        and keeps its place until it ends.
        """
        ...

    async def ready(self) -> bool:
        """Whether `score` would be served now. Never raises."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
