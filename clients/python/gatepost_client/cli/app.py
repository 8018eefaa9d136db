"""The commands and their options."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from gatepost_client._options import Tls
from gatepost_client._stream import StreamResult
from gatepost_client._version import __version__
from gatepost_client.cli.check import Annotator, results
from gatepost_client.cli.report import JsonReport, Report, TableReport
from gatepost_client.cli.sources import expand
from gatepost_client.cli.tickets import TicketWriter, file_gate, verify
from gatepost_client.client import Client
from gatepost_client.errors import GatepostError
from gatepost_client.requests import About, Item
from gatepost_client.verdict import Verdict

ALL_ALLOWED, SOME_NOT_ALLOWED, USAGE, SOME_FAILED = 0, 1, 2, 3
_MANY = 8  # files from which on a progress bar helps

app = typer.Typer(
    help="Ask a gatepost server whether images may be shown.", no_args_is_help=True, pretty_exceptions_enable=False
)

Target = Annotated[
    str | None,
    typer.Option(envvar="GATEPOST_TARGET", help="The server, host:port.", show_default="localhost:50051"),
]
UseTls = Annotated[bool, typer.Option("--tls", help="Connect with TLS.")]
CaFile = Annotated[Path | None, typer.Option(help="Trust these root certificates (PEM); implies --tls.")]
Token = Annotated[
    str | None, typer.Option(envvar="GATEPOST_TOKEN", help="Bearer token; better in the environment than here.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]


@contextmanager
def _client(target: str | None, tls: bool, ca_file: Path | None, token: str | None) -> Iterator[Client]:
    try:
        client = Client(target, tls=Tls(root_certificates=ca_file) if ca_file else tls, token=token)
    except (ValueError, OSError) as problem:
        raise typer.BadParameter(str(problem)) from problem
    with client:
        yield client


@app.command()
def check(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Images, folders, patterns; - is stdin.")],
    prompt: Annotated[str, typer.Option(help="What the generator was asked for.")] = "",
    expected_text: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="What the image was meant to say; may be given again.")
    ] = None,
    policy: Annotated[str, typer.Option(help="The policy's name.", show_default="the server's")] = "",
    locale: Annotated[str, typer.Option(help="Language for the user's message, e.g. zh-CN.")] = "",
    as_json: AsJson = False,
    annotate: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write images with boxes, text and scores here.")
    ] = None,
    tickets: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the release tickets of allowed images here.")
    ] = None,
    target: Target = None,
    timeout: Annotated[float, typer.Option(min=0.001, help="Seconds to wait for the next answer.")] = 30.0,
    concurrency: Annotated[int, typer.Option(min=1, max=1024, help="Images in flight at most.")] = 8,
    tls: UseTls = False,
    ca_file: CaFile = None,
    token: Token = None,
) -> None:
    """Judge images. Exit code 0: all allowed; 1: some not; 2: wrong usage; 3: some failed."""
    out, err = Console(), Console(stderr=True)

    def warn(text: str) -> None:
        err.print(text, style="yellow", markup=False)

    report: Report = JsonReport(out) if as_json else TableReport(out)
    about: About = {"prompt": prompt, "expected_text": expected_text or [], "policy": policy, "locale": locale}
    annotator = Annotator(annotate, warn) if annotate else None
    writer = TicketWriter(tickets, warn) if tickets else None
    sources = expand(files)
    exit_code = ALL_ALLOWED
    with (
        _client(target, tls, ca_file, token) as client,
        Progress(console=err, transient=True, disable=len(sources) < _MANY or not err.is_terminal) as progress,
    ):
        task = progress.add_task("checking", total=len(sources))
        checked = results(client, sources, about, window=concurrency, stall_timeout=timeout, stdin=sys.stdin.buffer)
        for source, result in zip(sources, checked, strict=True):
            report.add(source, result)
            progress.advance(task)
            if result.verdict is None:
                exit_code = SOME_FAILED
                continue
            if not result.allowed:
                exit_code = max(exit_code, SOME_NOT_ALLOWED)
            if annotator:
                annotator.write(source, result.item, result.verdict)
            if writer:
                writer.write(source, result.verdict)
        report.finish()
    raise typer.Exit(exit_code)


@app.command()
def watch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A verdict's name, verdicts/<id>.")],
    as_json: AsJson = False,
    target: Target = None,
    until_people_decide: Annotated[bool, typer.Option(help="Also wait for people who look at it.")] = False,
    timeout: Annotated[float, typer.Option(min=0.001, help="Seconds to wait for the final verdict.")] = 60.0,
    tls: UseTls = False,
    ca_file: CaFile = None,
    token: Token = None,
) -> None:
    """Wait for what becomes of a held image. Exit codes as check; 3 also where it is still held."""
    out = Console()
    report: Report = JsonReport(out) if as_json else TableReport(out)
    last: Verdict | None = None
    try:
        with _client(target, tls, ca_file, token) as client:
            for last in client.watch_verdict(name, until_people_decide=until_people_decide, timeout=timeout):
                report.add(name, StreamResult(0, Item(b""), last.request_id, verdict=last))
    except GatepostError as error:
        Console(stderr=True).print(str(error), style="red", markup=False)
    report.finish()
    if last is None or last.pending:
        raise typer.Exit(SOME_FAILED)
    raise typer.Exit(ALL_ALLOWED if last.allowed else SOME_NOT_ALLOWED)


@app.command()
def appeal(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A verdict's name, verdicts/<id>.")],
    message: Annotated[str, typer.Option(help="What the person who asked for the image wants to say.")] = "",
    locale: Annotated[str, typer.Option(help="Their language, e.g. zh-CN.")] = "",
    as_json: AsJson = False,
    target: Target = None,
    timeout: Annotated[float, typer.Option(min=0.001, help="Seconds to wait.")] = 15.0,
    tls: UseTls = False,
    ca_file: CaFile = None,
    token: Token = None,
) -> None:
    """Ask people to look again at an image that was stopped; `watch --until-people-decide` tells what they decide."""
    try:
        with _client(target, tls, ca_file, token) as client:
            verdict = client.appeal(name, message, locale=locale, timeout=timeout)
    except GatepostError as error:
        console = Console(stderr=True)
        console.print(str(error), style="red", markup=False)
        if error.user_message:
            console.print(error.user_message, markup=False)
        raise typer.Exit(SOME_FAILED) from error
    report: Report = JsonReport(Console()) if as_json else TableReport(Console())
    report.add(name, StreamResult(0, Item(b""), verdict.request_id, verdict=verdict))
    report.finish()


@app.command()
def policies(
    as_json: AsJson = False,
    target: Target = None,
    timeout: Annotated[float, typer.Option(min=0.001, help="Seconds to wait.")] = 5.0,
    tls: UseTls = False,
    ca_file: CaFile = None,
    token: Token = None,
) -> None:
    """List the policies that --policy may name."""
    try:
        with _client(target, tls, ca_file, token) as client:
            found = client.list_policies(timeout=timeout)
    except GatepostError as error:
        Console(stderr=True).print(str(error), style="red", markup=False)
        raise typer.Exit(SOME_FAILED) from error
    if as_json:
        for policy in found:
            described = {"name": policy.name, "version": policy.version, "default": policy.is_default}
            typer.echo(json.dumps({**described, "description": policy.description}, ensure_ascii=False))
        return
    table = Table("name", "version", "default", "description")
    for policy in found:
        cells = policy.name, policy.version, "yes" if policy.is_default else "", policy.description
        table.add_row(*map(Text, cells))
    Console().print(table)


@app.command()
def keys(
    target: Target = None,
    timeout: Annotated[float, typer.Option(min=0.001, help="Seconds to wait.")] = 5.0,
    tls: UseTls = False,
    ca_file: CaFile = None,
    token: Token = None,
) -> None:
    """Print the public keys that tickets are checked with, as a JSON Web Key Set."""
    try:
        with _client(target, tls, ca_file, token) as client:
            typer.echo(client.ticket_keys(timeout=timeout).jwks)
    except GatepostError as error:
        Console(stderr=True).print(str(error), style="red", markup=False)
        raise typer.Exit(SOME_FAILED) from error


app.command()(verify)
app.command()(file_gate)


@app.command()
def version() -> None:
    """Print the version of this client."""
    typer.echo(f"gatepost-client {__version__} (gatepost.v1)")
