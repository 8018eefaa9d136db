"""The two servers that are compared, each a process of its own: the whole gateway over given evidence, and an echo.

The gateway has all that `benchmarks.overhead` gives it: tickets, coverage, admission, credentials, pace and quota,
idempotency, a backlog. Its scorer looks at nothing: evidence is made once and given the digest of each image.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import psutil
import uvloop

from benchmarks.overhead.gateway import TENANT, Served, settings
from gatepost_server.cli.logs import LogSettings, configure_logs
from gatepost_server.domain.decision import ModerationRequest
from gatepost_server.domain.evidence import Evidence
from gatepost_server.gateway import server
from gatepost_server.gateway.credentials.caller import Role
from gatepost_server.gateway.credentials.token_file import TokenStore
from gatepost_server.gateway.settings import GatewaySettings
from gatepost_server.scoring.base import Priority
from gatepost_server.scoring.fake import FakeScorer
from gatepost_server.tickets.folder import KeyFolder

GATEWAY, ECHO, SINK = "gateway", "echo", "sink"
METHODS = {
    GATEWAY: "/gatepost.v1.ModerationService/Moderate",
    ECHO: "/gatepost.bench.Bare/Echo",  # gives back what it got
    SINK: "/gatepost.bench.Bare/Sink",  # answers with as many bytes as a verdict has
}
VERDICT_BYTES = 2_000
MOST_AT_A_TIME = 128
_READY_S = 60.0


class GivenEvidence:
    """A scorer whose own cost is a few microseconds."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    async def score(self, request: ModerationRequest, *, timeout_s: float, priority: Priority) -> Evidence:  # noqa: ARG002
        """The same evidence for every image, with its digest."""
        return replace(self._evidence, image=replace(self._evidence.image, sha256=request.image_sha256))

    async def ready(self) -> bool:
        """Always."""
        return True

    async def close(self) -> None:
        """Nothing to let go of."""


@contextlib.contextmanager
def served(kind: str, state: Path) -> Iterator[Served]:
    """Runs one of them, with its state in a new folder, until the block ends."""
    state.mkdir()
    KeyFolder(state / "keys").init()
    token, _ = TokenStore(state / "tokens.json").new(TENANT, [Role.MODERATE])
    (state / "tenants.toml").write_text(f"[{TENANT}]\nimages_per_day = 100_000_000\nimages_per_second = 1_000_000\n")
    command = [sys.executable, "-m", "benchmarks.gateway_echo.servers", kind, str(state)]
    with (state / "log").open("wb") as log, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log) as child:
        try:
            line = child.stdout.readline() if child.stdout is not None else b""
            if not line:
                raise RuntimeError(f"{kind} did not start:\n{(state / 'log').read_text()[-2_000:]}")
            yield Served(json.loads(line)["grpc"], frozenset(), token, psutil.Process(child.pid))
        finally:
            child.terminate()
            child.wait(_READY_S)


def main() -> None:
    """The child: prints its address and serves until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=(GATEWAY, ECHO))
    parser.add_argument("state", type=Path)
    asked = parser.parse_args()
    configure_logs(LogSettings(format="json"))
    chosen = settings(asked.state, frozenset()).model_copy(update={"max_images_in_flight": MOST_AT_A_TIME})
    if asked.kind == GATEWAY:
        uvloop.run(_gateway(chosen))
    else:
        asyncio.run(_bare(chosen))


async def _gateway(chosen: GatewaySettings) -> None:
    clean = await FakeScorer().score(ModerationRequest("", b"a clean picture"), timeout_s=10.0)
    await server.serve(chosen, ready=_tell, scorer=GivenEvidence(clean))


async def _bare(chosen: GatewaySettings) -> None:
    """grpc.aio with the gateway's channel options, bytes in and bytes out, and nothing else."""
    answer = b"v" * VERDICT_BYTES

    async def echo(payload: bytes, _: Any) -> bytes:
        return payload

    async def sink(_: bytes, __: Any) -> bytes:
        return answer

    bare = grpc.aio.server(options=server.channel_options(chosen))
    methods = {"Echo": grpc.unary_unary_rpc_method_handler(echo), "Sink": grpc.unary_unary_rpc_method_handler(sink)}
    bare.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("gatepost.bench.Bare", methods),))
    port = bare.add_insecure_port("127.0.0.1:0")
    await bare.start()
    _tell(server.Addresses(f"127.0.0.1:{port}"))
    await bare.wait_for_termination()


def _tell(addresses: server.Addresses) -> None:
    print(json.dumps(addresses.told()), flush=True)


if __name__ == "__main__":
    main()
