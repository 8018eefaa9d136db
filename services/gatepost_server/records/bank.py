"""Where known-bad examples are kept, for all gateways that share them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gatepost_server.domain.known_bad import Change, KnownBad

Version = tuple[int, int]  # another one after every change


class BankStore(Protocol):
    """Examples and who changed them. Methods raise GatepostError (UNAVAILABLE, STORE_UNAVAILABLE)."""

    async def version(self) -> Version:
        """What changes with every change; asked every second or so."""
        ...

    async def entries(self) -> tuple[Version, Sequence[KnownBad]]:
        """All examples that were not removed, and the version that they are of."""
        ...

    async def add(self, entry: KnownBad) -> None:
        """Raises GatepostError (INVALID_ARGUMENT) for an id that there was already."""
        ...

    async def remove(self, entry: str, actor: str) -> bool:
        """Whether there was such an example."""
        ...

    async def changes(self) -> Sequence[Change]:
        """All of them, the oldest first; nothing ever takes one away."""
        ...
