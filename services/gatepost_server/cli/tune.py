"""`gatepostd tune`: instances, threads and concurrency for this machine, measured on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from gatepost_server.cli.settings import SettingsError, read_triton
from gatepost_server.cli.state import state_folder
from gatepost_server.cli.stopping import stop_on_signals
from gatepost_server.cli.tuning.plan import Plan

if TYPE_CHECKING:
    from gatepost_server.cli.tuning.run import Found

SAMPLE_CARDS = "sample_cards"


def tune(
    config: Annotated[
        Path | None,
        typer.Option(envvar="GATEPOST_CONFIG", dir_okay=False, exists=True, help="The TOML file that `up` is given."),
    ] = None,
    model_repository: Annotated[
        Path | None, typer.Option(file_okay=False, exists=True, help="The model repository.")
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            envvar="GATEPOST_STATE",
            file_okay=False,
            help="The state folder of `up`, where tuned.toml is written.",
            show_default="the user's",
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(
            file_okay=False, exists=True, help="Pictures like those that you judge.", show_default="the sample cards"
        ),
    ] = None,
    minutes: Annotated[float, typer.Option(min=0.1, help="No new try begins after so many.")] = 10.0,
    turn: Annotated[float, typer.Option(min=0.1, help="Seconds of a turn; longer ones are less noisy.")] = 6.0,
    deadline: Annotated[float, typer.Option(min=0.1, help="Seconds that your callers wait for a verdict.")] = 10.0,
    cores: Annotated[
        int | None, typer.Option(min=1, help="Cores to fill.", show_default="those that this process may use")
    ] = None,
) -> None:
    """Measure which instances, threads and concurrency suit this machine; `gatepostd up` then uses them.

    Two model servers run at a time. Let nothing else run meanwhile.
    """
    from gatepost_server.cli.tuning import run, tuned
    from gatepost_server.cli.tuning.served import TuneError, read_samples, served
    from gatepost_server.serving.repository import RepositoryError
    from gatepost_server.serving.runtime import RuntimeMissingError
    from gatepost_server.serving.server import StoppedError, TritonFailedError

    here = tuned.Machine.here()
    file = state_folder(state) / tuned.TUNED_FILE
    console = Console(stderr=True)
    try:
        settings = read_triton(config, repository=model_repository)
        said = sorted(tuned.said_of_threads(settings, os.environ))
        if said or settings.instances or settings.layout:
            what = ", ".join([*said, *settings.instances, *([settings.layout] if settings.layout else [])])
            raise TuneError(
                f"threads, instances or the layout are set already ({what}), and would go before tuned.toml"
            )
        samples = read_samples(images if images is not None else sample_cards())
        bounds = run.Bounds(minutes, turn, deadline, cores or here.cores)
        with stop_on_signals() as stop, _progress(console) as bar:
            task = bar.add_task("tuning", total=1.0)

            def tell(line: str, gone: float) -> None:
                console.print(line, markup=False, highlight=False)
                bar.update(task, completed=gone)

            found = run.tune(lambda plan: served(settings, plan, samples, stop), bounds, tell)
        result = tuned.Tuned(
            machine=here,
            triton=tuned.TritonPart(instances=found.plan.instances(), parameters=found.plan.parameters()),
            gateway=tuned.GatewayPart(max_images_in_flight=found.places, background_images=found.calls),
        )
        gain = "no gain" if found.gain is None else str(found.gain)
        tuned.write(file, result, measured=f"{datetime.now(UTC):%Y-%m-%d}", gain=gain)
    except StoppedError:
        typer.echo("gatepostd: stopped; nothing was written", err=True)
        raise typer.Exit(1) from None
    except (OSError, SettingsError, TuneError, RepositoryError, RuntimeMissingError, TritonFailedError) as error:
        typer.echo(f"gatepostd: {error}", err=True)
        raise typer.Exit(1) from None
    for line in summary(found):
        typer.echo(line)
    typer.echo(f"written: {file}")


def summary(found: Found) -> Iterator[str]:
    """What was found, line by line."""
    yield f"instances x threads: {found.plan}" + (" (the defaults)" if found.plan == Plan() else "")
    if found.gain is None:
        yield "gain over the defaults: none that could be relied on"
    else:
        yield f"gain over the defaults: {found.gain} images a second (median and range of pairs of turns)"
    yield "images/s by calls at a time: " + ", ".join(f"{calls}: {rate:.3g}" for calls, rate in found.rates.items())
    yield f"background_images = {found.calls}, max_images_in_flight = {found.places}"


def sample_cards() -> Path:
    """The sample cards of the installed wheel, or those in the sources."""
    package, sources = Path(__file__).parents[1], Path(__file__).parents[3]
    places = [package / SAMPLE_CARDS, sources / "benchmarks" / "demo" / "cards"]
    return next((place for place in places if place.is_dir()), places[0])


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
