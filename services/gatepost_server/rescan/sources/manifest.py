"""A manifest: Parquet, CSV or JSON lines with a column `uri`, and others that `--where` may ask for; read by DuckDB."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb

from gatepost_server.rescan.failures import RescanError
from gatepost_server.rescan.filters import Filters
from gatepost_server.rescan.inputs import Input
from gatepost_server.rescan.sources.known import known_of
from gatepost_server.rescan.stores.base import Address, address
from gatepost_server.rescan.stores.choose import store_of

_READERS = {
    ".parquet": "read_parquet",
    ".csv": "read_csv",
    ".csv.gz": "read_csv",
    ".jsonl": "read_json",
    ".jsonl.gz": "read_json",
    ".ndjson": "read_json",
}
_URIS = ("uri", "url", "path")  # the first of these that there is
_CHANGED = ("modified", "changed", "last_modified")
_ROWS = 10_000  # held at a time


def is_manifest(path: str) -> bool:
    """Whether a file is a manifest, by its name."""
    return path.endswith(tuple(_READERS))


def manifest(source: Address, filters: Filters) -> Iterator[Input]:
    """Its rows, in its order. A relative uri is one beside the manifest.

    Raises SourceError, CredentialsError, and RescanError for a manifest or a filter that cannot be used.
    """
    if not source.root:
        yield from _rows(source, Path(source.path), filters)
        return
    with tempfile.TemporaryDirectory(prefix="gatepost-manifest-") as scratch:
        local = Path(scratch) / Path(source.path).name
        local.write_bytes(store_of(source).read(source.path))
        yield from _rows(source, local, filters)


def _rows(source: Address, file: Path, filters: Filters) -> Iterator[Input]:
    reader = next(name for ending, name in _READERS.items() if str(file).endswith(ending))
    more = ", format = 'newline_delimited'" if reader == "read_json" else ""
    with duckdb.connect(config={"threads": 1}) as database:
        database.execute("SET TimeZone = 'UTC'")
        try:
            table = database.sql(f"SELECT * FROM {reader}(?{more})", params=[_literal(file)])
            columns = table.columns
            uri = _column(columns, _URIS)
            if uri is None:
                raise RescanError(f"{source} has no column uri; it has {', '.join(columns)}")
            table = _filtered(table, filters, columns, source)
            for batch in table.to_arrow_reader(_ROWS):
                for row in batch.to_pylist():
                    yield _input(row, str(row[uri] or ""), source)
        except duckdb.Error as error:
            raise RescanError(f"{source}: {error}") from error


def _literal(file: Path) -> str:
    """DuckDB takes names for patterns: this one is none."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in str(file))


def _filtered(
    table: duckdb.DuckDBPyRelation, filters: Filters, columns: list[str], source: Address
) -> duckdb.DuckDBPyRelation:
    if filters.where:
        table = table.filter(filters.where)
    if filters.changed_since is None:
        return table
    changed = _column(columns, _CHANGED)
    if changed is None:
        raise RescanError(f"--changed-since needs a column {' or '.join(_CHANGED)} in {source}")
    since = duckdb.ConstantExpression(filters.changed_since.isoformat()).cast("TIMESTAMPTZ")
    return table.filter(duckdb.ColumnExpression(changed).cast("TIMESTAMPTZ") >= since)


def _column(columns: list[str], names: tuple[str, ...]) -> str | None:
    by_name = {column.lower(): column for column in columns}
    return next((by_name[name] for name in names if name in by_name), None)


def _input(row: dict[str, object], uri: str, source: Address) -> Input:
    try:
        place = str(address(uri, source.parent))
    except ValueError:
        place = ""  # an error row, when it is read
    return replace(Input(0, uri, uri or "(none)", place), **known_of(row))
