"""The public keys of an OIDC issuer: from its JWKS address, or from a file."""

from __future__ import annotations

import asyncio
import json
import math
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import structlog
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWKClient, PyJWKSet
from jwt.exceptions import PyJWTError

from gatepost_server.gateway.credentials.watched import FileError, WatchedFile

_SMALLEST_RSA_BITS = 2_048

Keys = Mapping[str, Any]  # public keys as `cryptography` has them, by their key ids

_log = structlog.get_logger("gatepost.credentials")


class KeySource(Protocol):
    """Public keys by their ids."""

    async def find(self, key_id: str) -> Any | None:
        """The key, or None. Raises KeysAwayError."""
        ...


class KeysAwayError(RuntimeError):
    """The issuer's keys cannot be had, so nobody can be told from anybody."""


class KeyFile:
    """A key set in a file, read again when it changes."""

    def __init__(self, path: Path) -> None:
        """Raises FileError."""
        self._file = WatchedFile(path, _from_file)

    async def find(self, key_id: str) -> Any | None:
        """As KeySource.find."""
        return self._file.current().get(key_id)


class KeyAddress:
    """A key set behind https, asked for in a thread.

    Kept for `fresh_s`; where the issuer cannot be reached, for `stale_s`. Asks anew for a key that it does not know,
    and after a failure, but not within `pause_s` of the last time: made-up key ids cost the issuer nothing. Calls
    that come while it is asked wait for the same answer.
    """

    def __init__(
        self,
        url: str,
        *,
        ca: Path | None = None,
        fresh_s: float = 300.0,
        stale_s: float = 3_600.0,
        pause_s: float = 10.0,
        timeout_s: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises FileError for an address without TLS, but for this machine's own; OSError for the CA's file."""
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(parts.hostname)):
            raise FileError("the address of an issuer's keys begins with https://")
        context = ssl.create_default_context(cafile=ca) if parts.scheme == "https" else None
        self._client = PyJWKClient(url, cache_jwk_set=False, timeout=timeout_s, ssl_context=context)
        self._fresh_s, self._stale_s, self._pause_s = fresh_s, stale_s, pause_s
        self._clock = clock
        self._keys: Keys = {}
        self._had = self._asked = -math.inf
        self._asking = asyncio.Lock()

    async def find(self, key_id: str) -> Any | None:
        """As KeySource.find."""
        if not self._answers(key_id):
            async with self._asking:
                if not self._answers(key_id) and self._clock() - self._asked >= self._pause_s:
                    await self._ask()
        if self._clock() - self._had >= self._stale_s:
            raise KeysAwayError
        return self._keys.get(key_id)

    def _answers(self, key_id: str) -> bool:
        return key_id in self._keys and self._clock() - self._had < self._fresh_s

    async def _ask(self) -> None:
        try:
            self._keys = _usable(await asyncio.to_thread(self._client.get_signing_keys))
            self._had = self._clock()
        except (PyJWTError, OSError, ValueError, RecursionError) as problem:
            _log.error("issuer_keys_unreachable", error=type(problem).__name__)
        self._asked = self._clock()


def _from_file(data: bytes) -> Keys:
    try:
        keys = _usable(PyJWKSet.from_dict(json.loads(data)).keys)
    except (PyJWTError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise FileError("not a JSON Web Key Set") from None
    if not keys:
        raise FileError("no key in it can be used")
    return keys


def _usable(keys: list[PyJWK]) -> Keys:
    """Public keys with an id: a shared secret in a key set would let every reader of the set in."""
    return {
        key.key_id: key.key
        for key in keys
        if key.key_id and key.public_key_use in ("sig", None) and _is_public(key.key)
    }


def _is_public(key: Any) -> bool:
    if isinstance(key, RSAPublicKey):
        return key.key_size >= _SMALLEST_RSA_BITS
    return isinstance(key, EllipticCurvePublicKey | Ed25519PublicKey)


def _is_here(host: str | None) -> bool:
    return host in ("localhost", "127.0.0.1", "::1")
