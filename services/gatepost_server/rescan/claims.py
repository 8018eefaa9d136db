"""Who scores what: the first input with a content key does, all others are its duplicates. On disk, for there may be
millions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence


class Claims:
    """Belongs to one thread. What it knows can be lost: somebody then scores what was scored already."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)  # in memory, and on disk once it is large
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("CREATE TABLE claims (key BLOB PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID")

    def close(self) -> None:
        """Forget all."""
        self._database.close()

    def claim(self, keys: Sequence[str], numbers: Sequence[int]) -> list[int]:
        """For each key the number of the input that scores it: its own, if nobody was there before.

        Asked again, the answer is the same, so that a worker that died can be run again.
        """
        self.known(zip(keys, numbers, strict=True))
        owners = self._database.execute(
            f"SELECT key, number FROM claims WHERE key IN ({','.join('?' * len(keys))})", [*map(bytes.fromhex, keys)]
        )
        by_key = dict(owners)
        return [by_key[bytes.fromhex(key)] for key in keys]

    def known(self, pairs: Iterable[tuple[str, int]]) -> None:
        """Book what was scored, where it is not booked yet."""
        self._database.execute("BEGIN")
        self._database.executemany(
            "INSERT OR IGNORE INTO claims VALUES (?, ?)", ((bytes.fromhex(key), number) for key, number in pairs)
        )
        self._database.execute("COMMIT")
