"""gatepost verify, keys and file-gate: release tickets, most of it without a server."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatepost_client.cli.sources import STDIN
from gatepost_client.verdict import Verdict

if TYPE_CHECKING:
    from gatepost_client.tickets import KeySource

RELEASED, REFUSED, USAGE = 0, 1, 2
DEFAULT_AUDIENCE = "greeting-card"  # the default policy's name

_TOKEN = re.compile(r"ey[\w-]+\.[\w-]*\.[\w-]*", re.ASCII)  # as every JSON Web Token begins, and hardly a file's name

Jwks = Annotated[
    str, typer.Option(envvar="GATEPOST_JWKS", metavar="FILE|URL", help="The public keys; see `gatepost keys`.")
]
Audience = Annotated[
    str,
    typer.Option(envvar="GATEPOST_AUDIENCE", help="Whom the ticket must be for: the policy's name, or what it says."),
]
Issuer = Annotated[str, typer.Option(help="Who must have signed it.")]


def verify(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The image; - is stdin.")],
    ticket: Annotated[str, typer.Option(metavar="T", help="The ticket, or a file that holds it.")],
    jwks: Jwks = "jwks.json",
    audience: Audience = DEFAULT_AUDIENCE,
    issuer: Issuer = "gatepost",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check that a ticket releases exactly this image. Exit code 0: it does; 1: it does not; 2: wrong usage."""
    from gatepost_client.tickets import TicketRefused
    from gatepost_client.tickets import verify as check

    keys = _keys(jwks)
    try:
        token = ticket if _TOKEN.fullmatch(ticket) else Path(ticket).read_text(encoding="utf-8").strip()
        image = sys.stdin.buffer.read() if file == STDIN else file
        found = check(image, token, keys, audience=audience, issuer=issuer)
    except TicketRefused as refused:
        _say(as_json, f"refused ({refused.reason.value}): {refused}", released=False, reason=refused.reason.value)
        raise typer.Exit(REFUSED) from None
    except (OSError, ValueError) as problem:
        raise typer.BadParameter(f"cannot be read: {problem}") from problem
    _say(
        as_json,
        f"released by {found.verdict} under {found.policy.name} {found.policy.version}, "
        f"until {found.expires:%Y-%m-%d %H:%M:%S} UTC",
        released=True,
        verdict=found.verdict,
        image_sha256=found.image_sha256,
        policy={"name": found.policy.name, "version": found.policy.version},
        models=[{"name": model.name, "version": model.version} for model in found.models],
        audience=found.audience,
        issuer=found.issuer,
        issued=found.issued.isoformat(),
        expires=found.expires.isoformat(),
        key_id=found.key_id,
        id=found.id,
    )


def file_gate(
    folder: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="The folder that the web server serves.")
    ],
    jwks: Jwks = "jwks.json",
    audience: Audience = DEFAULT_AUDIENCE,
    issuer: Issuer = "gatepost",
    prefix: Annotated[str, typer.Option(help="The part of the address that stands for the folder.")] = "/images/",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 9009,
    metrics_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of Prometheus metrics; none: there are none.")
    ] = None,
) -> None:
    """Answer nginx's auth_request: may this file be served? See examples/nginx. Needs gatepost-client[serve]."""
    try:
        import uvicorn
        from prometheus_client import CollectorRegistry, start_http_server
    except ImportError as missing:
        raise typer.BadParameter(f"{missing.name} is missing: pip install 'gatepost-client[serve]'") from None

    from gatepost_client.tickets.counting import counted
    from gatepost_client.tickets.files import FileGate

    registry = CollectorRegistry()
    try:
        gate = FileGate(
            folder, keys=_keys(jwks), audience=audience, issuer=issuer, prefix=prefix, told=counted(registry)
        )
    except ValueError as problem:
        raise typer.BadParameter(str(problem)) from problem
    if metrics_port is not None:
        start_http_server(metrics_port, host, registry)
    uvicorn.run(gate, host=host, port=port, log_level="warning", server_header=False)


@dataclass(slots=True)
class TicketWriter:
    """Writes the tickets of allowed images into a folder, as <name of the image>.jwt."""

    folder: Path
    warn: Callable[[str], None]
    _used: set[str] = field(default_factory=set)

    def write(self, source: str, verdict: Verdict) -> None:
        """What has no ticket is passed over, but for an ALLOW, of which that is said."""
        if not verdict.ticket:
            if verdict.allowed:
                self.warn(f"{source}: allowed without a ticket: the server signs none")
            return
        stem = "stdin" if source == STDIN else Path(source).name
        name, number = f"{stem}.jwt", 2
        while name in self._used:
            name, number = f"{stem}-{number}.jwt", number + 1
        self._used.add(name)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(f"{verdict.ticket}\n", encoding="utf-8")
        except OSError as problem:
            self.warn(f"{source}: ticket not written: {problem}")


def _keys(jwks: str) -> KeySource:
    from gatepost_client.tickets import JwksFile, JwksUrl

    if jwks.startswith(("https://", "http://")):
        return JwksUrl(jwks)
    if not Path(jwks).is_file():
        raise typer.BadParameter(f"{jwks}: there is no such file of keys; `gatepost keys > {jwks}` writes it")
    return JwksFile(jwks)


def _say(as_json: bool, text: str, **facts: object) -> None:
    typer.echo(json.dumps(facts, ensure_ascii=False) if as_json else text)
