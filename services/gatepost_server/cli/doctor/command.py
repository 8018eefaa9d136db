"""`gatepostd doctor`: everything that a set-up needs, looked at before it is missed."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from gatepost_server.cli.doctor.finding import Finding, Health, failed
from gatepost_server.cli.settings import SettingsError, read_triton
from gatepost_server.cli.state import state_folder
from gatepost_server.serving.parameters import PREFIX

if TYPE_CHECKING:
    from gatepost_server.gateway.settings import GatewaySettings
    from gatepost_server.serving.settings import TritonSettings

_SIGNS = {Health.OK: "[green]ok[/]", Health.WARNING: "[yellow]warning[/]", Health.FAILED: "[red]failed[/]"}


def doctor(
    config: Annotated[
        Path | None,
        typer.Option(envvar="GATEPOST_CONFIG", dir_okay=False, exists=True, help="The TOML file that `up` is given."),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            envvar="GATEPOST_STATE", file_okay=False, help="The state folder of `up`.", show_default="the user's"
        ),
    ] = None,
    model_repository: Annotated[
        Path | None, typer.Option(file_okay=False, help="The model repository.", show_default="the usual one")
    ] = None,
    gateway: Annotated[
        bool, typer.Option("--gateway", help="For `gatepostd gateway`, whose models are elsewhere.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON array of findings.")] = False,
) -> None:
    """Check a set-up and say what to do. Exit 1 where something fails; warnings leave it 0. Changes nothing."""
    findings = list(_settled(config, state, model_repository, alone=gateway))
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in findings], ensure_ascii=False, indent=2))
    else:
        table = Table("", "check", *(Column(name, overflow="fold") for name in ("found", "what to do")))
        for each in findings:
            table.add_row(_SIGNS[each.health], each.check, each.said, each.advice)
        Console().print(table)
    raise typer.Exit(1 if any(each.health is Health.FAILED for each in findings) else 0)


def _settled(
    config: Path | None, state: Path | None, model_repository: Path | None, *, alone: bool
) -> Iterator[Finding]:
    from gatepost_server.cli.app import read_gateway, with_state

    folder = state_folder(state)
    try:
        settings = read_gateway(config, None)
        triton = read_triton(config, repository=model_repository)
        if not alone:
            settings = with_state(settings, folder)
    except (SettingsError, OSError) as error:
        yield failed("settings", str(error), "mend the file or the variable that is named")
        return
    yield from check_gateway(settings, None if alone else folder)
    if alone:
        yield from check_models_elsewhere(settings)
    else:
        yield from check_models(triton)


def check_gateway(settings: GatewaySettings, state: Path | None) -> Iterator[Finding]:
    """All that the gateway needs, and the machine under it. `state`: where what has no place of its own is kept."""
    from gatepost_server.cli.doctor import gate, machine, stores

    yield gate.port("port", settings.listen, grpc_health=True)
    if settings.http_listen is not None:
        yield gate.port("page's port", settings.http_listen, grpc_health=False)
    yield gate.callers(settings)
    yield gate.ticket_keys(settings.ticket_keys)
    yield gate.decisions(settings)
    for name in ("record", "backlog", "bank"):
        secret = getattr(settings, name)
        yield stores.database_tables(name, None if secret is None else secret.get_secret_value())
    yield asyncio.run(stores.image_store(settings.record_images))
    yield stores.image_keys(None if settings.image_keys is None else settings.image_keys.get_secret_value())
    place = state if state is not None else settings.record_handover and settings.record_handover.parent
    if place:
        yield machine.disk("disk", place, settings.backlog_bytes + settings.record_handover_bytes)
    yield machine.clock(path for path in (settings.record_handover, settings.ticket_keys) if path is not None)
    yield machine.files(settings.max_streams + settings.max_watches + settings.max_review_watches)


def check_models(triton: TritonSettings) -> Iterator[Finding]:
    """All that tritonserver and its models need."""
    from gatepost_server.cli.doctor import machine, models

    environment = {
        name.removeprefix(PREFIX).lower(): value for name, value in os.environ.items() if name.startswith(PREFIX)
    }
    parameters = {**triton.parameters, **environment}
    yield models.packages(("triton", "gateway"))
    yield models.server(triton.cache)
    with tempfile.TemporaryDirectory() as scratch:
        yield models.repository(triton.repository, triton.layout, triton.instances, Path(scratch))
    yield models.weights(triton.repository)
    yield models.ocr_weights(parameters)
    yield machine.gpu(parameters.get("device", ""))
    yield machine.shared_memory()
    yield machine.memory()


def check_models_elsewhere(settings: GatewaySettings) -> Iterator[Finding]:
    """That they can be reached."""
    from gatepost_server.cli.doctor import gate, models

    yield models.packages(("gateway",))
    yield gate.models_answer(settings.triton)
