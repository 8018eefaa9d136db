"""What a DEST holds beside its shards: the job, its plan, and which shards are done."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

from gatepost_server.domain.errors import ErrorCode
from gatepost_server.rescan.failures import RescanError, SourceError
from gatepost_server.rescan.stores.base import Address, Found
from gatepost_server.rescan.stores.choose import store_of

_LAYOUT = 1
_READERS = 16  # of the small files that say which shards are done


@dataclass(frozen=True, slots=True)
class Asked:
    """What makes two runs the same job, as it was asked for."""

    source: str
    policy: str = ""
    changed_since: str = ""
    sample: float | None = None
    seed: int = 0
    limit: int | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """A planned job. Shard k holds the inputs from k * shard_size on."""

    asked: Asked
    inputs: int
    shard_size: int
    embedding_size: int
    layout: int = _LAYOUT

    @property
    def shards(self) -> int:
        """How many shards there are."""
        return -(-self.inputs // self.shard_size)

    def rows_of(self, shard: int) -> int:
        """How many inputs a shard holds."""
        return min(self.shard_size, self.inputs - shard * self.shard_size)


@dataclass(frozen=True, slots=True)
class Done:
    """A shard that is complete."""

    shard: int
    file: str  # below DEST
    rows: int
    size: int  # bytes
    sha256: str
    decisions: Mapping[str, int] = field(default_factory=dict)
    errors: Mapping[str, int] = field(default_factory=dict)  # by reason
    duplicates: int = 0


class Destination:
    """The layout of DEST."""

    def __init__(self, place: Address) -> None:
        self.place = place
        self._store = store_of(place)

    def plan_file(self, shard: int) -> Address:
        """Where the inputs of a shard are written down."""
        return self.place / f"_gatepost/plan/{shard:06d}.parquet"

    def shard_name(self, shard: int) -> str:
        """A shard's results, below DEST."""
        return f"shards/part-{shard:06d}.parquet"

    def write(self, name: str, content: bytes) -> None:
        """Put a file below DEST. Raises SourceError, CredentialsError."""
        self._store.write((self.place / name).path, content)

    def create(self, name: str, content: bytes) -> bool:
        """Put a file below DEST where there is none; whether there was none. Raises SourceError, CredentialsError."""
        return self._store.create((self.place / name).path, content)

    def listed(self, folder: str) -> list[Found]:
        """What is below a folder of DEST ("/" at its end). Raises SourceError, CredentialsError."""
        try:
            return list(self._store.walk((self.place / folder).path))
        except SourceError as error:
            if error.failure.code is ErrorCode.NOT_FOUND:
                return []
            raise

    def read(self, name: str) -> bytes:
        """A file below DEST. Raises SourceError, CredentialsError."""
        return self._store.read((self.place / name).path)

    def job(self) -> Job | None:
        """The job that DEST holds; None where it holds none. Raises RescanError, SourceError, CredentialsError."""
        try:
            fields = json.loads(self.read("_gatepost/job.json"))
        except SourceError as error:
            if error.failure.code is ErrorCode.NOT_FOUND:
                return None
            raise
        if fields.get("layout") != _LAYOUT:
            raise RescanError(f"{self.place} was written by another version of gatepost; use another --out")
        return Job(**(fields | {"asked": Asked(**fields["asked"])}))

    def begin(self, job: Job) -> None:
        """Write down the job, once its plan is whole."""
        self.write("_gatepost/job.json", _json(asdict(job)))

    def finish(self, done: Done) -> None:
        """Write down that a shard is complete; it has been written before."""
        self.write(f"_gatepost/manifest/{done.shard:06d}.json", _json(asdict(done)))

    def done(self) -> dict[int, Done]:
        """The shards that are complete."""
        paths = [found.path for found in self.listed("_gatepost/manifest/") if found.path.endswith(".json")]
        with ThreadPoolExecutor(_READERS) as pool:
            entries = [Done(**json.loads(content)) for content in pool.map(self._store.read, paths)]
        return {entry.shard: entry for entry in sorted(entries, key=lambda entry: entry.shard)}


def _json(fields: Mapping[str, Any]) -> bytes:
    return (json.dumps(fields, ensure_ascii=False, indent=1) + "\n").encode()
