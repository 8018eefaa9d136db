"""Refused tickets are counted by reason."""

from __future__ import annotations

import asyncio
from pathlib import Path

from prometheus_client import CollectorRegistry

from gatepost_client.tickets.asgi import TicketMiddleware
from gatepost_client.tickets.counting import counted
from gatepost_client.tickets.files import FileGate
from tests.minting import AUDIENCE, Mint

MINT = Mint()
PNG = b"\x89PNG\r\n\x1a\n and more"


def refusals(registry: CollectorRegistry, reason: str) -> float | None:
    return registry.get_sample_value("gatepost_ticket_refusals_total", {"reason": reason})


async def nobody() -> dict[str, object]:
    return {"type": "http.request"}


async def unheard(_: object) -> None:
    return None


def test_the_file_gate_counts_what_it_refuses_and_only_that(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"kind")
    registry = CollectorRegistry()
    gate = FileGate(tmp_path, keys=MINT.keys(), audience=AUDIENCE, told=counted(registry))
    good, forged = MINT.ticket(b"kind"), MINT.ticket(b"unkind")
    assert refusals(registry, "IMAGE") == 0.0
    for ticket in (good, forged, forged):
        headers = [(b"x-original-uri", b"/images/a"), (b"gatepost-ticket", ticket.encode())]
        asyncio.run(gate({"type": "http", "headers": headers}, nobody, unheard))
    assert refusals(registry, "IMAGE") == 2.0
    assert refusals(registry, "MISSING") == 0.0


def test_the_middleware_counts_pictures_that_it_holds_back() -> None:
    registry = CollectorRegistry()

    async def shows(_scope: object, _receive: object, send) -> None:  # type: ignore[no-untyped-def]
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"image/png")]})
        await send({"type": "http.response.body", "body": PNG})

    gate = TicketMiddleware(shows, keys=MINT.keys(), audience=AUDIENCE, told=counted(registry))
    scope = {"type": "http", "method": "GET", "path": "/a.png", "query_string": b"", "headers": []}
    asyncio.run(gate(scope, nobody, unheard))
    assert refusals(registry, "MISSING") == 1.0
