"""The store behind an address."""

from __future__ import annotations

import functools

from gatepost_server.rescan.stores.base import Address, Store
from gatepost_server.rescan.stores.cloud import CloudStore
from gatepost_server.rescan.stores.local import LocalStore


def store_of(place: Address) -> Store:
    """The store that `place` is in; one for each bucket and process."""
    return _store(place.root)


@functools.lru_cache(maxsize=64)
def _store(root: str) -> Store:
    return CloudStore(root) if root else LocalStore()
