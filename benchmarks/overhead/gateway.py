"""The gateway as a process of its own, over a scorer without weights, with parts of it left out.

What a setting turns off is turned off by that setting. Coverage, admission and the request's fingerprint have none,
for no operator should be without them: here, and only here, something that does nothing stands in their place.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import grpc
import psutil
import uvloop

from gatepost_server.cli.logs import LogSettings, configure_logs
from gatepost_server.domain.decision import Coverage
from gatepost_server.gateway import server
from gatepost_server.gateway.credentials.caller import Role
from gatepost_server.gateway.credentials.token_file import TokenStore
from gatepost_server.gateway.settings import GatewaySettings
from gatepost_server.moderate import moderator
from gatepost_server.policy import evaluate
from gatepost_server.scoring.fake import FakeScorer
from gatepost_server.tickets.folder import KeyFolder

TICKETS, COVERAGE, ADMISSION = "tickets", "coverage", "admission"
CREDENTIALS, IDEMPOTENCY, BACKLOG = "credentials", "idempotency", "backlog"
PARTS = (TICKETS, COVERAGE, ADMISSION, CREDENTIALS, IDEMPOTENCY, BACKLOG)

TENANT = "greeting-cards"
READY_S = 120.0


@dataclass(frozen=True, slots=True)
class Served:
    """A gateway process: where it listens, what it leaves out, and the token that it asks for, if any."""

    address: str
    without: frozenset[str]
    token: str
    process: psutil.Process

    def cpu_ns(self) -> int:
        """Processor time of all its threads so far, in nanoseconds."""
        total = 0
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                total += int((task / "schedstat").read_text().split()[0])
        return total


@contextlib.contextmanager
def gateways(scratch: Path, kinds: Mapping[str, Sequence[str]]) -> Iterator[Mapping[str, Served]]:
    """One without each of the parts named, all started at once, until the block ends. `scratch` is a new folder."""
    scratch.mkdir()
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(len(kinds)) as pool:

        def started(name: str) -> Served:
            return stack.enter_context(gateway(scratch / name, kinds[name]))

        yield dict(zip(kinds, pool.map(started, kinds), strict=True))


@contextlib.contextmanager
def gateway(state: Path, without: Sequence[str]) -> Iterator[Served]:
    """Runs one, with its state in a new folder `state`, until the block ends."""
    state.mkdir()
    KeyFolder(state / "keys").init()
    token, _ = TokenStore(state / "tokens.json").new(TENANT, [Role.MODERATE])
    (state / "tenants.toml").write_text(f"[{TENANT}]\nimages_per_day = 1_000_000\nimages_per_second = 10_000\n")
    command = [sys.executable, "-m", "benchmarks.overhead.gateway", str(state), *without]
    with (state / "log").open("wb") as log, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log) as child:
        try:
            line = child.stdout.readline() if child.stdout is not None else b""
            if not line:
                raise RuntimeError(f"the gateway did not start:\n{(state / 'log').read_text()[-2_000:]}")
            shown = "" if CREDENTIALS in without else token
            yield Served(json.loads(line)["grpc"], frozenset(without), shown, psutil.Process(child.pid))
        finally:
            child.terminate()
            child.wait(READY_S)


def main() -> None:
    """The child: prints its address and serves until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("state", type=Path)
    parser.add_argument("without", nargs="*", help=f"any of {PARTS}")
    asked = parser.parse_args()
    configure_logs(LogSettings(format="json"))
    with left_out(frozenset(asked.without)):
        uvloop.run(
            server.serve(
                settings(asked.state, frozenset(asked.without)),
                ready=lambda addresses: print(json.dumps(addresses.told()), flush=True),
                scorer=FakeScorer(),
            )
        )


def settings(state: Path, without: frozenset[str]) -> GatewaySettings:
    """Every part that has a setting, by it."""
    chosen: dict[str, Any] = {"listen": "127.0.0.1:0", "canary_interval_s": 0.0}  # the scorer cannot read cards
    if TICKETS not in without:
        chosen["ticket_keys"] = state / "keys"
    if CREDENTIALS not in without:
        chosen |= {"credentials": state / "tokens.json", "tenants": state / "tenants.toml"}
    if BACKLOG not in without:
        chosen["backlog"] = str(state / "backlog.db")
    if IDEMPOTENCY in without:
        chosen["same_request_s"] = 0.0
    return GatewaySettings.load(**chosen)


@contextlib.contextmanager
def left_out(without: frozenset[str]) -> Iterator[None]:
    """Nothing in the place of the parts that no setting turns off."""
    with contextlib.ExitStack() as stack:
        if COVERAGE in without:
            nothing = (Coverage(complete=True, stages=(), missing=(), skipped=()), ())
            stack.enter_context(patch.object(evaluate, "cover", lambda *_: nothing))
        if ADMISSION in without:
            stack.enter_context(patch.object(server, "AdmissionInterceptor", _Nobody))
        if IDEMPOTENCY in without:
            stack.enter_context(patch.object(moderator, "fingerprint", lambda _: uuid.uuid4().bytes))
        yield


class _Nobody(grpc.aio.ServerInterceptor):  # type: ignore[type-arg] # generic in the stubs only
    """Stands where admission stood, and lets everybody in."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """As grpc.aio.ServerInterceptor."""
        return await continuation(handler_call_details)


if __name__ == "__main__":
    main()
