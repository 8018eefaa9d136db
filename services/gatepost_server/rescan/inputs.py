"""One stored image that is to be judged, and the columns that a plan keeps of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa

from gatepost_server.domain.decision import DEFAULT_TENANT


@dataclass(frozen=True, slots=True)
class Input:
    """Where an image is, and what is known of it. `number` is its place in the job, from 0."""

    number: int
    id: str
    uri: str  # as it is told: an address, or one of a tar with "#member"
    file: str  # the object that holds the bytes
    start: int = 0
    length: int | None = None  # None: the whole object
    tenant: str = DEFAULT_TENANT
    prompt: str = ""
    expected_text: tuple[str, ...] = ()
    locale: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


PLANNED = pa.schema(
    [
        ("number", pa.int64()),
        ("id", pa.string()),
        ("uri", pa.string()),
        ("file", pa.string()),
        ("start", pa.int64()),
        ("length", pa.int64()),
        ("tenant", pa.string()),
        ("prompt", pa.string()),
        ("expected_text", pa.list_(pa.string())),
        ("locale", pa.string()),
        ("labels", pa.map_(pa.string(), pa.string())),
    ]
)


def inputs_to_table(inputs: Sequence[Input]) -> pa.Table:
    """One row for each input, by PLANNED."""
    return pa.Table.from_pylist([_row(each) for each in inputs], schema=PLANNED)


def inputs_from_table(table: pa.Table) -> list[Input]:
    """The inverse; further columns are passed over."""
    rows = table.select(PLANNED.names).to_pylist(maps_as_pydicts="strict")
    return [Input(**(row | {"expected_text": tuple(row["expected_text"])})) for row in rows]


def _row(each: Input) -> dict[str, Any]:
    return asdict(each) | {"labels": list(each.labels.items())}
