"""Look-back: which of the scanned images are like an example."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from gatepost_server.domain.known_bad import KnownBad, Likeness
from gatepost_server.policy.bank import LEAST_QUALITY, hash_bits
from gatepost_server.policy.lists import comparable
from gatepost_server.rescan.replay.columns import Bools, Columns, Floats, Nested
from gatepost_server.rescan.replay.results import Results
from gatepost_server.text.known import resemblance

_BITS = 256


@dataclass(frozen=True, slots=True)
class Match:
    """A scanned image that is like the example. `score` as Hit.score."""

    id: str
    uri: str
    tenant: str
    decision: str  # that was given
    likeness: Likeness  # the one that says most
    score: float


def look_back(results: Results, example: KnownBad) -> Iterator[Match]:
    """Every image that `example` would have hit, in the order of the results. It holds something to compare.

    Raises SourceError, CredentialsError.
    """
    for whole in results.batches(tuple(_columns(example))):
        batch = whole.filter(whole.rows["scores"].is_valid().to_numpy())
        columns = Columns(batch.rows)
        if not columns.count:
            continue
        compared = list(_scores(columns, example))
        scores = np.stack([score for _, score in compared])
        best, score = scores.argmax(axis=0), scores.max(axis=0)
        places = np.flatnonzero(score > 0.0)
        rows = batch.fetch(places, ("id", "uri", "tenant", "decision"))
        for place, row in zip(places.tolist(), rows, strict=True):
            yield Match(**row, likeness=compared[best[place]][0], score=round(min(1.0, float(score[place])), 6))


def _columns(example: KnownBad) -> Iterator[str]:
    yield "scores.insult"  # valid where there is evidence
    if example.sha256:
        yield "sha256"
    if example.pdq:
        yield from ("pdq", "pdq_quality")
    if example.embedding:
        yield from ("embedding", "models")
    if example.text:
        yield from ("facts.texts", "lines.list.element.text", "joined_text")


def _scores(columns: Columns, example: KnownBad) -> Iterator[tuple[Likeness, Floats]]:
    """By likeness, 0 where it is no hit."""
    if example.sha256:
        yield Likeness.SAME_FILE, _equal(columns.column("sha256"), example.sha256).astype(np.float64)
    if example.pdq:
        yield Likeness.PDQ, _by_hash(columns, example)
    if example.embedding:
        yield Likeness.EMBEDDING, _by_embedding(columns, example)
    if example.text:
        yield Likeness.TEXT, _by_text(columns, example)


def _by_hash(columns: Columns, example: KnownBad) -> Floats:
    found = np.zeros(columns.count)
    places = np.flatnonzero(columns.numbers("pdq_quality") >= LEAST_QUALITY)
    hashes = columns.column("pdq").take(places).to_pylist()
    if hashes:
        distances = (hash_bits(hashes) != hash_bits([example.pdq])).sum(axis=1)
        found[places] = np.where(distances <= example.pdq_distance, 1.0 - distances / _BITS, 0.0)
    return found


def _by_embedding(columns: Columns, example: KnownBad) -> Floats:
    vectors: NDArray[Any] = columns.column("embedding").flatten().to_numpy().reshape(columns.count, -1)
    if vectors.shape[1] != len(example.embedding):
        return np.zeros(columns.count)
    models = Nested(columns.column("models"), columns.count)
    name, _, version = example.embedding_model.rpartition(" ")
    of_model = models.any(_equal(models.field("name"), name) & _equal(models.field("version"), version))
    cosines = vectors @ np.array(example.embedding, np.float32)
    return np.where(of_model & (cosines >= example.cosine), cosines, 0.0)


def _by_text(columns: Columns, example: KnownBad) -> Floats:
    wanted = comparable(example.text)
    if columns.has("facts"):
        texts = Nested(columns.column("facts.texts"), columns.count)
        drawn, of = texts.members.to_pylist(), texts.of
    else:  # results from before there was that column
        lines = columns.lines
        both = [*lines.field("text").to_pylist(), *columns.column("joined_text").to_pylist()]
        drawn, of = list(map(comparable, both)), np.concatenate([lines.of, np.arange(columns.count)])
    found = np.zeros(columns.count)
    if drawn and wanted:
        scores = resemblance([wanted], drawn)[0]
        np.maximum.at(found, of, np.where(scores >= example.text_similarity, scores, 0.0))
    return found


def _equal(array: object, value: str) -> Bools:
    equal: Bools = pc.fill_null(pc.equal(array, value), False).to_numpy(zero_copy_only=False).astype(bool)
    return equal
