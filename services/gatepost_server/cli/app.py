"""gatepostd's command line. Parts are imported by the commands that run them: a Triton host needs no gRPC."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import structlog
import typer
from platformdirs import user_cache_path
from pydantic import SecretStr, ValidationError

from gatepost_server.cli.bank import BANK_FILE, bank
from gatepost_server.cli.capacity import capacity
from gatepost_server.cli.console import console, read_console, serving_console
from gatepost_server.cli.doctor.command import doctor
from gatepost_server.cli.find import find
from gatepost_server.cli.keys import KEYS_FOLDER, keys
from gatepost_server.cli.logs import configure_logs
from gatepost_server.cli.purge import purge
from gatepost_server.cli.ready import announce
from gatepost_server.cli.replay import replay
from gatepost_server.cli.rescan import rescan
from gatepost_server.cli.settings import (
    TRITON_FIELDS,
    SettingsError,
    check_tables,
    default_repository,
    invalid,
    read_log,
    read_triton,
)
from gatepost_server.cli.state import STATE_VARIABLE, state_folder
from gatepost_server.cli.stopping import stop_on_signals
from gatepost_server.cli.tokens import TOKENS_FILE, tokens
from gatepost_server.cli.tune import tune
from gatepost_server.cli.unknown import unknown_variables

if TYPE_CHECKING:
    from gatepost_server.gateway.settings import GatewaySettings
    from gatepost_server.serving.settings import TritonSettings

IMAGE_KEY = "image-key"  # below the state folder

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
policy = typer.Typer(no_args_is_help=True, help="Work on policy files.")
app.add_typer(policy, name="policy")
app.add_typer(keys, name="keys")
app.add_typer(tokens, name="tokens")
app.add_typer(bank, name="bank")
app.add_typer(console, name="console")
app.command()(capacity)
app.command()(doctor)
app.command()(purge)
app.command()(rescan)
app.command()(replay)
app.command()(find)
app.command()(tune)

Config = Annotated[
    Path | None, typer.Option(envvar="GATEPOST_CONFIG", dir_okay=False, exists=True, help="A TOML file of settings.")
]
Repository = Annotated[Path | None, typer.Option(file_okay=False, exists=True, help="The model repository.")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="The gateway's port; 0 picks a free one.")]
State = Annotated[
    Path | None,
    typer.Option(
        envvar=STATE_VARIABLE,
        file_okay=False,
        help="What outlives a restart: images accepted and not judged yet, keys that sign tickets.",
        show_default="the user's state folder",
    ),
]
ReadyFile = Annotated[
    Path | None, typer.Option(help="JSON with the addresses and the process id, written when images can be judged.")
]

log = structlog.get_logger("gatepost")


@app.callback()
def gatepostd() -> None:
    """The gate between an image generator and the person who asked: an image that was not cleared is not shown."""


@app.command()
def up(
    config: Config = None,
    port: Port = None,
    model_repository: Repository = None,
    state: State = None,
    ready_file: ReadyFile = None,
) -> None:
    """Run Triton, the gateway and the review console in one process tree, until SIGTERM or Ctrl-C."""
    import uvloop

    from gatepost_server.cli.tuning import tuned
    from gatepost_server.cli.up import TritonLostError, run_up
    from gatepost_server.gateway.credentials.watched import FileError
    from gatepost_server.gateway.metrics import Metrics
    from gatepost_server.gateway.server import ListenError
    from gatepost_server.policy.load import PolicyError
    from gatepost_server.records.key_file import make_key_file
    from gatepost_server.serving.repository import RepositoryError
    from gatepost_server.serving.runtime import RuntimeMissingError
    from gatepost_server.serving.server import TritonFailedError
    from gatepost_server.serving.supervisor import Supervisor
    from gatepost_server.tickets.folder import RingError

    start_logs(config)
    warn_of_unknown("GATEPOST_TRITON_", TRITON_FIELDS)
    with failures(SettingsError):
        gateway, triton = read_gateway(config, port), read_triton(config, repository=model_repository)
    folder = state_folder(state)
    with failures(OSError, tuned.TunedError):
        if gateway.image_keys is None:
            make_key_file(folder / IMAGE_KEY)
        applied = tuned.applied(folder / tuned.TUNED_FILE, triton, gateway, os.environ, tuned.Machine.here())
    triton, gateway = applied.triton, with_state(applied.gateway, folder)
    gateway = with_word_lists(gateway, triton.repository)
    with failures(SettingsError):
        pages = read_console(config, gateway)
    with failures(RingError):
        make_ring(gateway)
    log.info("settings", triton=printable(triton), tuned=applied.told)
    known = (RepositoryError, RuntimeMissingError, TritonFailedError, TritonLostError)
    with failures(FileError, ListenError, OSError, PolicyError, *known):
        metrics = Metrics()
        supervisor = Supervisor(triton, metrics)
        uvloop.run(
            run_up(
                supervisor,
                gateway,
                lambda addresses: announce(ready_file, **addresses, triton=supervisor.grpc_address),
                console=serving_console(pages) if pages.enabled else None,
                metrics=metrics,
            )
        )


@app.command()
def triton(config: Config = None, model_repository: Repository = None, ready_file: ReadyFile = None) -> None:
    """Run Triton alone (ports 8000 to 8002 unless set), until SIGTERM or Ctrl-C."""
    from gatepost_server.serving.repository import RepositoryError
    from gatepost_server.serving.runtime import RuntimeMissingError
    from gatepost_server.serving.server import StoppedError, TritonFailedError
    from gatepost_server.serving.supervisor import Supervisor

    start_logs(config)
    warn_of_unknown("GATEPOST_TRITON_", TRITON_FIELDS)
    with failures(SettingsError):
        settings = read_triton(config, repository=model_repository)
    settings = replace(
        settings,
        grpc_port=settings.grpc_port or 8001,
        http_port=settings.http_port or 8000,
        metrics_port=settings.metrics_port or 8002,
    )
    log.info("settings", triton=printable(settings))
    supervisor = Supervisor(settings)
    with failures(OSError, RepositoryError, RuntimeMissingError, TritonFailedError), stop_on_signals() as stop:
        try:
            supervisor.start(stop)
            announce(ready_file, triton=supervisor.grpc_address)
            came_back = supervisor.run(stop)
        except StoppedError:
            return
        finally:
            supervisor.stop()
    if not came_back:
        raise typer.Exit(1)


@app.command()
def gateway(config: Config = None, port: Port = None, ready_file: ReadyFile = None) -> None:
    """Run the gateway alone, in front of a Triton elsewhere, until SIGTERM or Ctrl-C."""
    from gatepost_server.gateway.credentials.watched import FileError
    from gatepost_server.gateway.server import ListenError, run
    from gatepost_server.policy.load import PolicyError

    start_logs(config)
    with failures(SettingsError):
        settings = with_word_lists(read_gateway(config, port), default_repository())
    with failures(FileError, ListenError, OSError, PolicyError):
        code = run(settings, ready=lambda each: announce(ready_file, **each.told(), triton=settings.triton))
    raise typer.Exit(code)


@app.command()
def calibrate(
    cards: Annotated[
        Path, typer.Argument(file_okay=False, exists=True, help="Labelled cards: a folder with cards.csv.")
    ],
    out: Annotated[Path, typer.Option(file_okay=False, help="Where calibration.json and prompts.yaml are written.")],
    model: Annotated[
        str, typer.Option(help="open_clip's name, or local-dir:FOLDER.", show_default="the shipped one")
    ] = "",
    pretrained: Annotated[str, typer.Option(help="open_clip's tag, or a checkpoint file.")] = "",
    prompts: Annotated[Path | None, typer.Option(dir_okay=False, exists=True, help="Prompts to choose from.")] = None,
    tiles: Annotated[str, typer.Option(help="Tile sides as shares of the shorter side.")] = "0.6,0.4",
    alarms: Annotated[float, typer.Option(min=1e-6, max=0.5, help="Share of kind cards that may reach 0.5.")] = 0.001,
    model_repository: Repository = None,
) -> None:
    """Fit prompts and levels of another CLIP checkpoint to labelled cards."""
    from rich.console import Console
    from rich.table import Table

    from gatepost_server.cli import calibrate as calibration
    from gatepost_server.stages.clip.model import Choice, ClipModel

    directory = (model_repository or default_repository()) / "clip" / "1"
    asked = prompts or directory / "prompts.yaml"
    with failures(calibration.CardsError, OSError, RuntimeError, ValueError):
        chosen = ClipModel(Choice(directory, user_cache_path("gatepost") / "clip", model, pretrained))
        fits = calibration.calibrate(chosen, asked, cards, tiles=tuple(map(float, tiles.split(","))), alarms=alarms)
        calibration.write(fits, asked, out, model=model, pretrained=pretrained, tiles=tiles)
    table = Table("category", "area under the curve", "prompts kept")
    for row in calibration.levels(fits, asked):
        table.add_row(*row)
    Console().print(table)
    typer.echo(f"GATEPOST_MODEL_CLIP_CALIBRATION={out / 'calibration.json'}")
    typer.echo(f"GATEPOST_MODEL_CLIP_PROMPTS={out / 'prompts.yaml'}")


@policy.command()
def check(files: Annotated[list[Path], typer.Argument(help="Policy files (YAML).")]) -> None:
    """Say whether policy files can be used; exit 1 where one cannot."""
    from gatepost_server.policy.load import PolicyError, load_policy

    good = True
    for file in files:
        try:
            checked = load_policy(file)
        except PolicyError as error:
            typer.echo(error, err=True)
            good = False
        else:
            terms = checked.ticket_terms
            tickets = f"tickets for {terms.audience!r}, {terms.ttl_s} s"
            typer.echo(f"{file.name}: {checked.name}, version {checked.version}; {tickets}")
    raise typer.Exit(0 if good else 1)


def start_logs(config: Path | None) -> None:
    """Logs first, so that what follows can be said in them."""
    with failures(SettingsError):
        check_tables(config)
        configure_logs(read_log(config))


def read_gateway(config: Path | None, port: int | None) -> GatewaySettings:
    """[gateway], with the port of the command line. Raises SettingsError."""
    from gatepost_server.gateway.settings import GatewaySettings

    warn_of_unknown("GATEPOST_GATEWAY_", GatewaySettings.model_fields)
    try:
        settings = GatewaySettings.load(config)
    except ValidationError as error:
        raise invalid("gateway", error) from error
    except (ValueError, OSError) as error:
        raise SettingsError(str(error)) from error
    if port is None:
        return settings
    return settings.model_copy(update={"listen": f"{settings.listen.rpartition(':')[0]}:{port}"})


def with_state(settings: GatewaySettings, state: Path) -> GatewaySettings:
    """The settings, with a place in `state` for what has none of its own. Raises OSError."""
    from gatepost_server.records.key_file import read_key_file

    kept_key = read_key_file(state / IMAGE_KEY)
    tokens_file = state / TOKENS_FILE  # where there is one, somebody meant callers to be asked
    return settings.model_copy(
        update={
            "backlog": settings.backlog or SecretStr(str(state / "backlog.db")),
            "bank": settings.bank or SecretStr(str(state / BANK_FILE)),
            "record": settings.record or SecretStr(str(state / "record.db")),
            "record_handover": settings.record_handover or state / "handover.db",
            "record_images": settings.record_images or str(state / "images"),
            "image_keys": settings.image_keys or (None if kept_key is None else SecretStr(kept_key)),
            "ticket_keys": settings.ticket_keys or state / KEYS_FOLDER,
            "http_listen": settings.http_listen or "127.0.0.1:0",
            "credentials": settings.credentials or (tokens_file if tokens_file.exists() else None),
        }
    )


def with_word_lists(settings: GatewaySettings, repository: Path) -> GatewaySettings:
    """The settings, with the word lists of the model repository where they name none."""
    folder = repository / "text_toxicity" / "1" / "lexicons"
    known = settings.word_lists is not None or not folder.is_dir()
    return settings if known else settings.model_copy(update={"word_lists": folder})


def make_ring(settings: GatewaySettings) -> None:
    """A ring of keys where there is none yet, so that the first ALLOW carries a ticket. Raises RingError."""
    from gatepost_server.tickets.folder import KeyFolder

    if settings.ticket_keys is not None and not (folder := KeyFolder(settings.ticket_keys)).exists():
        folder.init()


def warn_of_unknown(prefix: str, fields: Collection[str]) -> None:
    """Name, without their values, variables of the environment that look like settings and are none."""
    if names := unknown_variables(os.environ, prefix, fields):
        log.warning("settings.unknown", names=names)


def printable(settings: TritonSettings) -> dict[str, Any]:
    """For the log at start, with the parameters that the environment gives to the models."""
    models = {name: value for name, value in os.environ.items() if name.startswith("GATEPOST_MODEL_")}
    shown = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(settings).items()}
    return shown | {"environment": models}


@contextmanager
def failures(*kinds: type[Exception]) -> Iterator[None]:
    """What an operator can mend is said in a line, not in a traceback; exit 1."""
    try:
        yield
    except kinds as error:
        typer.echo(f"gatepostd: {error}", err=True)
        raise typer.Exit(1) from None
