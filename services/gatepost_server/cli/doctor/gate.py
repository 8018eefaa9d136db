"""Checks of the gateway: its ports, who may ask, what it decides by, the keys that it signs with."""

from __future__ import annotations

import socket
import stat
import time
from datetime import UTC, datetime
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gatepost_server.cli.doctor.finding import Finding, failed, ok, warning
from gatepost_server.gateway.credentials.configured import authenticator
from gatepost_server.gateway.credentials.token_file import TokenState, TokenStore
from gatepost_server.gateway.credentials.watched import FileError
from gatepost_server.gateway.settings import GatewaySettings
from gatepost_server.gateway.tenants import check_shadows, open_tenants
from gatepost_server.policy.book import open_book
from gatepost_server.policy.load import PolicyError
from gatepost_server.tickets.folder import KeyFolder, RingError

_ANSWER_S = 5.0


def port(check: str, address: str, *, grpc_health: bool = False) -> Finding:
    """The address is free, or it is a gatepost that has it (`grpc_health`: which can be asked)."""
    host, _, number = address.rpartition(":")
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host.strip("[]"), int(number), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, ValueError):
        return failed(check, f"{address} is no address of this machine", "write host:port, such as 0.0.0.0:50051")
    with socket.socket(family, kind, protocol) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(place)
        except OSError as error:
            if grpc_health and _answers(address):
                return ok(check, f"a gatepost answers at {address}")
            return failed(
                check, f"{address}: {error.strerror}", "stop what listens there (ss -ltnp), or choose another"
            )
    return ok(check, f"{address} is free")


def models_answer(address: str) -> Finding:
    """A Triton elsewhere can be reached; its health is the gateway's to watch."""
    host, _, number = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(number)), _ANSWER_S).close()
    except (OSError, ValueError) as error:
        return failed(
            "models",
            f"nothing answers at {address}: {error}",
            "start gatepostd triton there, or set GATEPOST_GATEWAY_TRITON",
        )
    return ok("models", f"something answers at {address}")


def ticket_keys(folder: Path | None) -> Finding:
    """There is a key that signs now, and nobody else can read it."""
    check = "ticket keys"
    if folder is None:
        return warning(check, "there are none: ALLOW carries no ticket", "set ticket_keys (docs/tickets.md)")
    ring = KeyFolder(folder)
    if not ring.exists():
        return warning(check, "there is no ring", "gatepostd up makes one at its first start; or gatepostd keys init")
    try:
        key = ring.read().active(time.time())
        if key is None:
            return failed(check, "no key signs now", "gatepostd keys rotate, and see that the clock is right")
        ring.private(key)
    except RingError as error:
        return failed(check, str(error), "restore the folder, or gatepostd keys init in a new one")
    for file in folder.glob("*.pem"):
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            return failed(check, f"{file.name} can be read by others", f"chmod 600 {file}, and rotate the keys")
    return ok(check, f"{key.kid} signs")


def callers(settings: GatewaySettings) -> Finding:
    """Somebody is asked who they are, and somebody can answer."""
    check = "credentials"
    try:
        policies = open_book(settings.policies, default=settings.default_policy)
        if authenticator(settings, open_tenants(settings.tenants, policies)).open:
            advice = "gatepostd tokens new (docs/security.md), where anybody else can reach the port"
            return warning(check, "anybody who reaches the port may ask", advice)
        if settings.credentials is None:
            return ok(check, "callers are asked for them")
        known = TokenStore(settings.credentials).read()
    except (FileError, PolicyError, OSError) as error:
        return failed(check, str(error), "mend or restore the file that is named; gatepostd tokens new makes one")
    active = [each for each in known.tokens if each.state(datetime.now(UTC)) is TokenState.ACTIVE]
    if not active:
        return failed(check, "no token in the file is good now", "gatepostd tokens new")
    return ok(check, f"{len(active)} tokens are good")


def decisions(settings: GatewaySettings) -> Finding:
    """Policies and tenants can be read and fit each other."""
    try:
        policies = open_book(settings.policies, default=settings.default_policy)
        open_tenants(settings.tenants, policies)
        check_shadows(settings.shadow_policies, policies)
    except (PolicyError, FileError, OSError) as error:
        return failed("policies", str(error), "gatepostd policy check FILE says more")
    return ok("policies", f"{len(list(policies))}, {policies.default} by default")


def _answers(address: str) -> bool:
    with grpc.insecure_channel(address.replace("0.0.0.0", "127.0.0.1")) as channel:
        try:
            health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=_ANSWER_S)
        except grpc.RpcError as error:
            return error.code() is grpc.StatusCode.NOT_FOUND
    return True
