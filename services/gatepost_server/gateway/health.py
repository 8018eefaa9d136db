"""grpc.health.v1: SERVING while Triton is ready, canaries are answered rightly, and the gateway does not drain.

Each part has a name of its own, so that whoever asks sees which one is not well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from grpc_health.v1.health import aio as health_aio  # type: ignore[attr-defined] # missing in the stubs
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

MODERATION = "gatepost.v1.ModerationService"
POLICY = "gatepost.v1.PolicyService"
TICKETS = "gatepost.v1.TicketKeyService"
MODELS, CANARIES = "gatepost.models", "gatepost.canaries"  # the parts of what "" and MODERATION say

Changed = Callable[[str, bool], None]

_log = structlog.get_logger("gatepost.gateway")


async def watch(
    health: health_aio.HealthServicer,
    parts: Mapping[str, Callable[[], Awaitable[bool]]],
    interval_s: float,
    *,
    changed: Changed = lambda _part, _well: None,
) -> None:
    """Keep the health of every part, and of "" and moderation as all of them together, for ever.

    `changed` is told of each part, and of MODERATION, whenever its health is another than before.
    """
    known: dict[str, bool] = {}
    while True:
        now = {name: await part() for name, part in parts.items()}
        now[MODERATION] = all(now.values())
        for name, well in now.items():
            if known.get(name) is well:
                continue
            known[name] = well
            (_log.info if well or name not in (MODELS, CANARIES) else _log.warning)("health", part=name, serving=well)
            status = HealthCheckResponse.SERVING if well else HealthCheckResponse.NOT_SERVING
            for service in (name, "") if name == MODERATION else (name,):
                await health.set(service, status)
            changed(name, well)
        await asyncio.sleep(interval_s)


async def not_serving(health: health_aio.HealthServicer, parts: Mapping[str, object]) -> list[str]:
    """What is not well: parts by name; MODERATION where it is none of them, for the gateway starts or drains."""
    asked = [*parts, MODERATION]
    answers = [await health.Check(HealthCheckRequest(service=name), None) for name in asked]
    unwell = [name for name, answer in zip(asked, answers, strict=True) if answer.status != HealthCheckResponse.SERVING]
    return [name for name in unwell if name != MODERATION] or unwell
