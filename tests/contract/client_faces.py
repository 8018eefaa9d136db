"""The blocking and the async client behind one async face, so that the same tests run over both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, Protocol

from gatepost_client import AsyncClient, Client, Health, ImageSource, Item, Policy, StreamResult, TicketKeys, Verdict

Make = Callable[..., "Face"]


class Face(Protocol):
    """What both clients do."""

    async def moderate(self, image: ImageSource, **options: Any) -> Verdict: ...
    async def gate(self, image: ImageSource, **options: Any) -> Verdict: ...
    def moderate_stream(self, items: Iterable[ImageSource | Item], **options: Any) -> AsyncIterator[StreamResult]: ...
    async def get_verdict(self, name: str, **options: Any) -> Verdict: ...
    def watch_verdict(self, name: str, **options: Any) -> AsyncIterator[Verdict]: ...
    async def appeal(self, name: str, message: str = "", **options: Any) -> Verdict: ...
    async def list_policies(self) -> tuple[Policy, ...]: ...
    async def get_policy(self, name: str = "") -> Policy: ...
    async def ticket_keys(self) -> TicketKeys: ...
    async def health(self, **options: Any) -> Health: ...
    async def close(self) -> None: ...


class Blocking:
    """Client, each call in a thread."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.client = Client(*arguments, **options)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.client, name)

        async def call(*arguments: Any, **options: Any) -> Any:
            return await asyncio.to_thread(method, *arguments, **options)

        return call

    async def moderate_stream(self, items: Iterable[ImageSource | Item], **options: Any) -> AsyncIterator[StreamResult]:
        results = self.client.moderate_stream(items, **options)
        try:
            while (result := await asyncio.to_thread(next, results, None)) is not None:
                yield result
        finally:
            await asyncio.to_thread(results.close)  # type: ignore[attr-defined]

    async def watch_verdict(self, name: str, **options: Any) -> AsyncIterator[Verdict]:
        told = self.client.watch_verdict(name, **options)
        try:
            while (verdict := await asyncio.to_thread(next, told, None)) is not None:
                yield verdict
        finally:
            await asyncio.to_thread(told.close)  # type: ignore[attr-defined]


def faces() -> dict[str, Make]:
    """Both clients by name."""
    return {"blocking": Blocking, "async": AsyncClient}  # type: ignore[dict-item]
