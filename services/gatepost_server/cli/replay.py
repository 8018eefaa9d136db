"""`gatepostd replay`: what another policy would have said of images that were scanned."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from gatepost_server.cli.refused import refused

if TYPE_CHECKING:
    from gatepost_server.policy.comparison import Comparison

ResultsArgument = Annotated[
    str, typer.Argument(help="The --out of a gatepostd rescan: a folder, or s3://, gs:// or az://bucket/prefix.")
]


def replay(
    results: ResultsArgument,
    policy: Annotated[Path, typer.Option(dir_okay=False, exists=True, help="The policy to try.")],
    against: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            exists=True,
            help="Another one to hold it against.",
            show_default="the decisions that were given",
        ),
    ] = None,
    html: Annotated[Path | None, typer.Option(dir_okay=False, help="Write what flips as a page.")] = None,
    word_lists: Annotated[
        Path | None,
        typer.Option(file_okay=False, exists=True, help="Word lists that find abuse in earlier turns, as gateways do."),
    ] = None,
) -> None:
    """Judge stored evidence again under another policy, with no images and no models."""
    with refused():
        from gatepost_server.policy.load import load_policy
        from gatepost_server.rescan.replay.compare import compare
        from gatepost_server.rescan.replay.many import Judge
        from gatepost_server.rescan.replay.page import render
        from gatepost_server.rescan.replay.results import open_results
        from gatepost_server.rescan.stores.base import address
        from gatepost_server.text.temper import read_abuse

        lexicon = read_abuse(word_lists) if word_lists is not None else None
        tried = load_policy(policy)
        other = load_policy(against) if against is not None else None
        begun = time.monotonic()
        found = compare(
            open_results(address(results)),
            Judge(tried, lexicon=lexicon),
            Judge(other, lexicon=lexicon) if other is not None else None,
        )
        taken = time.monotonic() - begun
        new = f"{tried.name} {tried.version}"
        old = f"{other.name} {other.version}" if other is not None else "the decisions given"
        if html is not None:
            html.write_text(render(found, new=new, old=old), encoding="utf-8")
    _show(found, new, old, taken)


def _show(found: Comparison, new: str, old: str, taken_s: float) -> None:
    console = Console()
    flipped = found.flipped
    console.print(
        f"{flipped.count:,} of {found.rows:,} decisions flip: {flipped.share:.3%} "
        f"(95 % interval {flipped.low:.3%} to {flipped.high:.3%})"
    )
    table = Table("from", "to", "images", title=f"{new} against {old}")
    for (before, after), count in found.flips.most_common():
        table.add_row(before, after, f"{count:,}")
    console.print(table)
    rests = Table("rests on", "from", "to", "images")
    for ground, counts in sorted(found.by_ground.items()):
        for (before, after), count in counts.most_common():
            rests.add_row(ground, before, after, f"{count:,}")
    console.print(rests)
    for (before, after), examples in sorted(found.examples.items()):
        for each in examples:
            console.print(
                f"{before} to {after}: {each.uri} ({each.tenant})", markup=False, highlight=False, soft_wrap=True
            )
    Console(stderr=True).print(
        f"{found.rows / max(taken_s, 1e-9):,.0f} rows a second, {found.one_by_one:,} of them one by one; "
        f"{found.without_evidence:,} without evidence"
    )
