"""`gatepostd rescan`: stored images, judged again or for the first time."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from gatepost_server.cli.state import state_folder

if TYPE_CHECKING:
    from gatepost_server.rescan.judges import MakeJudge
    from gatepost_server.rescan.pipeline import Workers
    from gatepost_server.rescan.progress import View
    from gatepost_server.rescan.run import Order, Summary

PAUSED = 75  # sysexits.h: EX_TEMPFAIL, the same command may go on later
TOO_MANY_ERRORS = 3
_MIB = 1 << 20


def rescan(
    source: Annotated[
        str,
        typer.Argument(
            help="A folder, file, glob or tar; s3://, gs:// or az://bucket/prefix; or a manifest "
            "(.parquet, .csv, .jsonl) with a column uri."
        ),
    ],
    out: Annotated[str, typer.Option(help="Where the results go: a folder, or an address as above.")],
    gateway: Annotated[
        list[str] | None, typer.Option(help="host:port; several share the work.", show_default="GATEPOST_TARGET")
    ] = None,
    in_process: Annotated[
        int, typer.Option(min=0, help="Ask no gateway: so many workers here hold the nets themselves.")
    ] = 0,
    policy: Annotated[str, typer.Option(help="The policy's name.", show_default="the default one")] = "",
    policies: Annotated[Path | None, typer.Option(help="Folder of policies, for --in-process.")] = None,
    bank: Annotated[
        str,
        typer.Option(
            envvar="GATEPOST_GATEWAY_BANK",
            help="Known-bad bank, for --in-process.",
            show_default="that of gatepostd bank, where there is one",
        ),
    ] = "",
    token_file: Annotated[
        Path | None, typer.Option(envvar="GATEPOST_TOKEN_FILE", help="Bearer token; read again for every call.")
    ] = None,
    ca: Annotated[Path | None, typer.Option(help="PEM of the CA behind the gateways; with it, TLS.")] = None,
    changed_since: Annotated[str, typer.Option(help="An ISO 8601 time, or an age: 12h, 7d.")] = "",
    sample: Annotated[float | None, typer.Option(min=0.0, max=1.0, help="A share, always the same images.")] = None,
    seed: Annotated[int, typer.Option(help="Of the sample.")] = 0,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    where: Annotated[str, typer.Option(help="SQL over the manifest's columns: \"country = 'SG' AND likes > 3\".")] = "",
    dry_run: Annotated[bool, typer.Option(help="Say what would be scanned, and stop.")] = False,
    resume: Annotated[bool, typer.Option(help="Go on with the job that OUT holds, if it is this one.")] = True,
    max_error_rate: Annotated[float, typer.Option(min=0.0, max=1.0, help="Stop when more than this fails.")] = 0.5,
    shard_size: Annotated[int, typer.Option(min=1, help="Images in a file of results.")] = 512,
    in_flight: Annotated[int, typer.Option(min=1, help="Images at each gateway at a time, at most.")] = 8,
    readers: Annotated[int, typer.Option(min=1, help="Readers, each with 8 fetches at a time.")] = 2,
    judges: Annotated[int, typer.Option(min=1, help="Processes that ask gateways.")] = 1,
    decoders: Annotated[int, typer.Option(min=1, help="Threads of each worker of --in-process that decode.")] = 1,
    gpus: Annotated[float, typer.Option(min=0.0, help="GPUs of each worker of --in-process.")] = 0.0,
    patience: Annotated[float, typer.Option(min=1.0, help="Seconds without any answer until it pauses.")] = 300.0,
    ray_address: Annotated[str, typer.Option(help="A Ray cluster to join; without it, Ray starts here.")] = "",
    memory: Annotated[int, typer.Option(min=80, help="MiB for images on their way, where Ray starts here.")] = 512,
    report: Annotated[bool, typer.Option(help="Write report.html beside the results.")] = True,
    reveal: Annotated[bool, typer.Option(help="Pictures in the report are not blurred.")] = False,
) -> None:
    """Judge stored images; one row for each in OUT, whatever happens. Exit 75: paused, 3: too many errors."""
    from gatepost_server.rescan.filters import Filters, moment
    from gatepost_server.rescan.stores.base import address

    try:
        since = moment(changed_since, datetime.now(UTC)) if changed_since else None
        place, destination = address(source), address(out)
    except ValueError as error:
        _fail(error)
    # Ray takes seconds to import: not before it is known that there is something to do.
    from gatepost_server.rescan.failures import PausedError, RescanError, TooManyErrorsError
    from gatepost_server.rescan.job import Asked
    from gatepost_server.rescan.pipeline import RayTerms
    from gatepost_server.rescan.run import Order
    from gatepost_server.rescan.run import rescan as run

    workers = _workers(readers, judges, in_process, decoders, gpus, in_flight)
    cpus = max(os.cpu_count() or 1, math.ceil(workers.cpus))
    order = Order(
        source=place,
        out=destination,
        asked=Asked(str(place), policy, changed_since, sample, seed, limit, where),
        filters=Filters(since, sample, seed, limit, where),
        make_judge=_judge(
            gateway, in_process, policies, bank, token_file, ca, in_flight, judges, patience, decoders, gpus
        ),
        workers=workers,
        ray=RayTerms(ray_address, memory * _MIB, cpus),
        shard_size=shard_size,
        max_error_rate=max_error_rate,
        resume=resume,
    )
    console = Console(stderr=True)
    if dry_run:
        _dry_run(order, console)
        return
    try:
        with _view(console) as view:
            summary = run(order, view)
        if report:
            from gatepost_server.rescan.report.write import write_report

            write_report(order.out, summary, revealed=reveal)
    except PausedError as error:
        _fail(error, code=PAUSED, more="Nothing is lost: the same command goes on from here.")
    except TooManyErrorsError as error:
        _fail(error, code=TOO_MANY_ERRORS, more="The same command goes on, with a higher --max-error-rate.")
    except RescanError as error:
        _fail(error)
    _show(summary, order, console)


@contextmanager
def _view(console: Console) -> Iterator[View]:
    """A bar on a terminal; elsewhere lines that a log can hold."""
    from gatepost_server.rescan.progress import Bar, Lines

    if console.is_terminal:
        with Bar(console) as bar:
            yield bar
    else:
        yield Lines(partial(typer.echo, err=True))


def _judge(
    gateways: list[str] | None,
    in_process: int,
    policies: Path | None,
    bank: str,
    token_file: Path | None,
    ca: Path | None,
    in_flight: int,
    judges: int,
    patience_s: float,
    decoders: int,
    gpus: float,
) -> MakeJudge:
    if in_process:
        from gatepost_server.cli.inprocess import MakeOwnStages

        models = {name: value for name, value in os.environ.items() if name.startswith("GATEPOST_MODEL_")}
        return MakeOwnStages(models, policies, batch=16 if gpus else 2, decoders=decoders, bank=_bank(bank))
    from gatepost_server.rescan.gateways import Gateways, Way

    targets = gateways or [os.environ.get("GATEPOST_TARGET") or "localhost:50051"]
    each = max(1, in_flight // judges)
    return partial(Gateways, Way(targets, each, patience_s=patience_s, token_file=token_file, root_certificates=ca))


def _bank(place: str) -> str:
    """The bank that a gateway here would follow: the one that was named, else the one of `gatepostd bank`."""
    from gatepost_server.cli.bank import BANK_FILE

    own = state_folder() / BANK_FILE
    if not place:
        return str(own) if own.exists() else ""
    return place if "://" in place else str(Path(place).absolute())


def _workers(readers: int, judges: int, in_process: int, decoders: int, gpus: float, in_flight: int) -> Workers:
    from gatepost_server.rescan.pipeline import Workers

    if in_process:
        cpus = decoders - 0.2  # the first decodes while the nets run; the rest is the readers'
        return Workers(readers, in_process, judge_cpus=cpus, judge_gpus=gpus, batch=64)
    return Workers(readers, judges, batch=max(64, 4 * in_flight))


def _dry_run(order: Order, console: Console) -> None:
    from gatepost_server.rescan.failures import CredentialsError, RescanError, SourceError
    from gatepost_server.rescan.sources.open import open_source

    count = 0
    try:
        for each in open_source(order.source, order.filters):
            if count < 5:
                console.print(each.uri, markup=False, highlight=False)
            count += 1
    except (RescanError, SourceError, CredentialsError) as error:
        _fail(error)
    shards = -(-count // order.shard_size)
    console.print(f"{count:,} images would be scanned, in {shards:,} shards; nothing was written")


def _show(summary: Summary, order: Order, console: Console) -> None:
    table = Table("", "images", title=f"{order.out}")
    for name, count in sorted(summary.decisions.items()):
        table.add_row(name, f"{count:,}")
    for name, count in sorted(summary.errors.items()):
        table.add_row(f"error {name}", f"{count:,}")
    table.add_row("duplicates among them", f"{summary.duplicates:,}")
    table.add_row("all", f"{summary.rows:,}")
    table.add_row("this run, images a second", f"{summary.images_per_s:,.1f}")
    console.print(table)


def _fail(error: Exception, *, code: int = 1, more: str = "") -> NoReturn:
    typer.echo(f"gatepostd: {error}", err=True)
    if more:
        typer.echo(more, err=True)
    raise typer.Exit(code) from None
