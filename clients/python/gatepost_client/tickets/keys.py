"""Where the public keys come from. A key that a source does not hold, a revoked one among them, signs nothing."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwt import PyJWK, PyJWKClient, PyJWKSet
from jwt.exceptions import PyJWTError

_log = logging.getLogger(__name__)


class UnknownKeyError(LookupError):
    """No such key, or the keys could not be had."""


class KeySource(Protocol):
    """Public keys by their id. Asked from many threads."""

    def find(self, key_id: str) -> Ed25519PublicKey:
        """The key of that id. Raises UnknownKeyError."""
        ...


class Jwks:
    """The keys of one JSON Web Key Set (RFC 7517), as it stands. Raises ValueError for anything else."""

    def __init__(self, text: str) -> None:
        try:
            keys = PyJWKSet.from_json(text).keys
        except (PyJWTError, ValueError, TypeError, AttributeError, KeyError, RecursionError) as problem:
            raise ValueError("this is not a JSON Web Key Set with a usable key") from problem
        self._keys = {key.key_id: key for key in keys if key.key_id}

    def find(self, key_id: str) -> Ed25519PublicKey:
        """As KeySource.find."""
        if key_id not in self._keys:
            raise UnknownKeyError("the ticket names a key that is not among ours")
        return _ed25519(self._keys[key_id])


class JwksFile:
    """A key set in a file, read again whenever the file changes. An unreadable file holds no keys."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._seen: tuple[int, int, int] | None = None
        self._keys: Jwks | None = None
        self._lock = threading.Lock()

    def find(self, key_id: str) -> Ed25519PublicKey:
        """As KeySource.find."""
        with self._lock:
            keys = self._current()
        return keys.find(key_id)

    def _current(self) -> Jwks:
        try:
            facts = self._path.stat()
            stamp = (facts.st_mtime_ns, facts.st_size, facts.st_ino)
            if self._keys is None or stamp != self._seen:
                self._keys, self._seen = Jwks(self._path.read_text(encoding="utf-8")), stamp
        except (OSError, ValueError) as problem:
            self._keys = None
            raise UnknownKeyError("the file of keys cannot be read") from problem
        return self._keys


class JwksUrl:
    """A key set behind http(s), kept for `max_age_s`: so long may a revoked key still be believed, and no longer.

    Asks anew for a key that it does not know, and after a failure, but not within `pause_s` of the last time:
    tickets with made-up keys, and a server that is down, cost no request each.
    Use https, or a network that you trust: whoever can alter the answer makes the keys.
    """

    def __init__(
        self,
        url: str,
        *,
        max_age_s: float = 60.0,
        timeout_s: float = 5.0,
        pause_s: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not url.startswith(("https://", "http://")):
            raise ValueError("a key set's address begins with https:// (or http://)")
        self._client = PyJWKClient(url, cache_jwk_set=False, timeout=timeout_s)
        self._max_age_s = max_age_s
        self._pause_s = pause_s
        self._clock = clock
        self._keys: dict[str | None, PyJWK] = {}
        self._good_until = self._next = -math.inf
        self._lock = threading.Lock()

    def find(self, key_id: str) -> Ed25519PublicKey:
        """As KeySource.find."""
        with self._lock:
            if self._clock() >= self._good_until or key_id not in self._keys:
                self._ask()
            if self._clock() >= self._good_until:
                raise UnknownKeyError("the server's keys cannot be had")
            if key_id not in self._keys:
                raise UnknownKeyError("the ticket names a key that is not among the server's")
            return _ed25519(self._keys[key_id])

    def _ask(self) -> None:
        now = self._clock()
        if now < self._next:
            return
        self._next = now + self._pause_s
        try:
            self._keys = {key.key_id: key for key in self._client.get_signing_keys()}
            self._good_until = now + self._max_age_s
        except (PyJWTError, OSError, ValueError, RecursionError) as problem:
            _log.warning("the server's keys cannot be had: %s", type(problem).__name__)


def _ed25519(key: PyJWK) -> Ed25519PublicKey:
    if not isinstance(key.key, Ed25519PublicKey):
        raise UnknownKeyError("the key is not an Ed25519 public key")
    return key.key
