"""`gatepostd find`: what already went out that is like a text, an image or a hash."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from gatepost_server.cli.refused import refused
from gatepost_server.cli.replay import ResultsArgument
from gatepost_server.cli.settings import default_repository
from gatepost_server.domain.known_bad import PDQ_DISTANCE, TEXT_SIMILARITY, KnownBad
from gatepost_server.domain.labels import Category

if TYPE_CHECKING:
    from gatepost_server.rescan.replay.look import Match

_NAME = "example"
_COSINE = 0.95  # less than acts on live traffic: a person looks at the list
_PDQ = re.compile(r"[0-9a-f]{64}")

Distance = Annotated[int, typer.Option(min=0, max=128, help="Different bits of the PDQ hash, at most.")]
Cosine = Annotated[float, typer.Option(min=0.0, max=1.0, help="Likeness of the embeddings, at least.")]
Similarity = Annotated[float, typer.Option(min=0.0, max=1.0, help="Likeness of the texts, at least.")]


def find(
    results: ResultsArgument,
    text: Annotated[str, typer.Option(help="A text that was drawn; disguises, case and script do not matter.")] = "",
    like: Annotated[Path | None, typer.Option(dir_okay=False, exists=True, help="An image.")] = None,
    phash: Annotated[str, typer.Option(help="A PDQ hash, 64 hex digits.")] = "",
    distance: Distance = PDQ_DISTANCE,
    cosine: Cosine = _COSINE,
    similarity: Similarity = TEXT_SIMILARITY,
    limit: Annotated[int, typer.Option(min=1, help="Rows that are shown.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="All of them for machines: one JSON object a line.")] = False,
) -> None:
    """List scanned images that are like a text, an image or a hash."""
    with refused():
        example = KnownBad(
            _NAME,
            Category.SPAM,  # of no matter here
            time.time(),
            "",
            pdq_distance=distance,
            cosine=cosine,
            text_similarity=similarity,
        )
        example = filled(example, text=text, image=like, phash=phash)
        if as_json:
            for match in matches_of(results, example):
                typer.echo(json.dumps(asdict(match), ensure_ascii=False))
        else:
            show_matches(results, example, limit)


def filled(example: KnownBad, *, text: str, image: Path | None, phash: str = "") -> KnownBad:
    """The example with what it is compared by. Raises ValueError, OSError, GatepostError."""
    if not (text or image or phash):
        raise ValueError("say what to look for: a text, an image or a hash")
    if text:
        example = replace(example, text=checked_text(text))
    if phash:
        if not _PDQ.fullmatch(phash.lower()):
            raise ValueError("a PDQ hash has 64 hex digits")
        example = replace(example, pdq=phash.lower())
    if image is not None:
        from gatepost_server.cli.example_image import look_at
        from gatepost_server.policy.bank import LEAST_QUALITY

        seen = look_at(image, default_repository())
        hashed = seen.pdq if seen.pdq_quality >= LEAST_QUALITY else example.pdq
        example = replace(
            example,
            sha256=seen.sha256,
            pdq=hashed,
            embedding=seen.embedding,
            embedding_model=seen.embedding_model,
        )
    return example


def checked_text(text: str) -> str:
    """Raises ValueError for what would be found everywhere."""
    from gatepost_server.policy.lists import comparable
    from gatepost_server.text.known import says_enough

    if not says_enough(comparable(text)):
        raise ValueError("a text needs two Chinese characters or five letters; a policy's block list takes less")
    return text


def show_matches(results: str, example: KnownBad, limit: int) -> int:
    """Lists what of `results` is like `example`; how many there are. Raises RescanError, SourceError, ValueError."""
    return _listed(matches_of(results, example), limit)


def matches_of(results: str, example: KnownBad) -> Iterator[Match]:
    """What of `results` is like `example`. Raises as `show_matches`."""
    from gatepost_server.rescan.replay.look import look_back
    from gatepost_server.rescan.replay.results import open_results
    from gatepost_server.rescan.stores.base import address

    yield from look_back(open_results(address(results)), example)


def _listed(matches: Iterable[Match], limit: int) -> int:
    table = Table(Column("image", overflow="fold"), "tenant", "decision then", "like by", "how like")
    count = 0
    for match in matches:
        count += 1
        if count <= limit:
            table.add_row(match.uri, match.tenant, match.decision, match.likeness.value, f"{match.score:.3f}")
    console = Console()
    if count:
        console.print(table)
    console.print(f"{count:,} images" + (f", {limit:,} of them shown" if count > limit else ""), highlight=False)
    return count
