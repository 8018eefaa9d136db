"""A small page beside gRPC: /healthz, /metrics and /.well-known/jwks.json.

It takes no credentials, and shows no images, texts or callers.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gatepost_server.domain.errors import GatepostError
from gatepost_server.gateway.metrics import Metrics

JWKS_PATH, HEALTH_PATH, METRICS_PATH = "/.well-known/jwks.json", "/healthz", "/metrics"
KEYS_MAX_AGE_S = 60  # so long may a revoked key be believed elsewhere

_BACKLOG = 128
_STOP_S = 1


class _Server(uvicorn.Server):
    """As a part of the gateway, which has signals of its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def application(
    unwell: Callable[[], Awaitable[Sequence[str]]], jwks: Callable[[], str] | None, metrics: Metrics
) -> Starlette:
    """The page. `unwell` names what keeps the gateway from serving; without `jwks` there are no keys to show."""

    async def health(_: Request) -> Response:
        parts = await unwell()
        told = {"status": "NOT_SERVING", "not_serving": list(parts)} if parts else {"status": "SERVING"}
        return JSONResponse(told, 503 if parts else 200, {"cache-control": "no-store"})

    async def figures(request: Request) -> Response:
        text, content_type = metrics.text(request.headers.get("accept", ""))
        return Response(text, headers={"content-type": content_type, "cache-control": "no-store"})

    async def keys(_: Request) -> Response:
        if jwks is None:
            return JSONResponse({"title": "This gatepost signs no tickets.", "status": 404}, 404)
        try:
            text = jwks()
        except GatepostError as error:
            return JSONResponse({"title": error.message, "status": 503}, 503, {"cache-control": "no-store"})
        caching = {"cache-control": f"public, max-age={KEYS_MAX_AGE_S}"}
        return Response(text, media_type="application/jwk-set+json", headers=caching)

    return Starlette(routes=[Route(HEALTH_PATH, health), Route(METRICS_PATH, figures), Route(JWKS_PATH, keys)])


@contextlib.asynccontextmanager
async def listening(app: Starlette, listen: str) -> AsyncIterator[str]:
    """Serve `app` while the block runs; yields the address with the real port number.

    Raises OSError where the address cannot be served on, ValueError where it is none.
    """
    bound = _bound(listen)
    host = listen.rpartition(":")[0]
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, lifespan="off", timeout_graceful_shutdown=_STOP_S
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve([bound]))
    try:
        yield f"{host}:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        bound.close()


def _bound(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"{listen!r} is not host:port")
    family, kind, protocol, _, address = socket.getaddrinfo(
        host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(_BACKLOG)
        bound.setblocking(False)
    except OSError:
        bound.close()
        raise
    return bound
