"""grpc.health.v1: SERVING while Triton is ready and the gateway does not drain."""

from __future__ import annotations

import asyncio

import structlog
from grpc_health.v1.health import aio as health_aio  # type: ignore[attr-defined] # missing in the stubs
from grpc_health.v1.health_pb2 import HealthCheckResponse

from gatepost_server.scoring.base import Scorer

MODERATION = "gatepost.v1.ModerationService"
POLICY = "gatepost.v1.PolicyService"
TICKETS = "gatepost.v1.TicketKeyService"

_log = structlog.get_logger("gatepost.gateway")


async def watch(health: health_aio.HealthServicer, scorer: Scorer, interval_s: float) -> None:
    """Keep the health of "" and of moderation as the scorer's readiness, for ever."""
    known: bool | None = None
    while True:
        ready = await scorer.ready()
        if ready != known:
            known = ready
            _log.info("model_server_ready" if ready else "model_server_not_ready")
            status = HealthCheckResponse.SERVING if ready else HealthCheckResponse.NOT_SERVING
            await health.set("", status)
            await health.set(MODERATION, status)
        await asyncio.sleep(interval_s)
