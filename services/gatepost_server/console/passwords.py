"""Passwords as Argon2id hashes (RFC 9106, by argon2-cffi's defaults)."""

from __future__ import annotations

import asyncio
import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST = 12  # characters
MOST = 1_024

_HASHER = PasswordHasher()
_AT_ONCE = 2  # 64 MiB each


class PasswordError(ValueError):
    """A password that is none."""


def hashed(password: str) -> str:
    """What may be kept. Raises PasswordError."""
    if not LEAST <= len(password) <= MOST:
        raise PasswordError(f"a password has {LEAST} to {MOST} characters")
    return _HASHER.hash(password)


class Passwords:
    """Checks passwords beside the event loop, a few at a time."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def right(self, kept: str, password: str) -> bool:
        """Whether it is that one. Takes as long where `kept` is "": nobody learns who has an account."""
        async with self._places:
            return await asyncio.to_thread(_matches, kept or _nobodys(), password) and bool(kept)


def _matches(kept: str, password: str) -> bool:
    try:
        return _HASHER.verify(kept, password[: MOST + 1])
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    return _HASHER.hash(secrets.token_hex())
