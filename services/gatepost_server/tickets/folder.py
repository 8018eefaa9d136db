"""A key ring in a folder: ring.json with the public keys and their times, and a private key in <kid>.pem each.

Everything is written beside its place and moved there, the private key before the ring that names it. Readers need
no lock: they see the ring as it was or as it is. The private keys of revoked and spent keys are deleted.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from pydantic import TypeAdapter

from gatepost_server.tickets.ring import Key, Ring, State, thumbprint

RING = "ring.json"
LEAD_S = 600.0

_KEYS = TypeAdapter(tuple[Key, ...])
_KID = re.compile(r"[0-9a-f]{16}")
_VERSION = 1


class RingError(RuntimeError):
    """A ring that cannot be used, or a change that cannot be made; the message says why, without a path."""


class KeyFolder:
    """The ring in a folder. Several processes may read and change it."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.folder = folder
        self._clock = clock

    def exists(self) -> bool:
        """Whether there is a ring."""
        return (self.folder / RING).exists()

    def stamp(self) -> tuple[int, int, int]:
        """Changes whenever the ring does. Raises RingError."""
        try:
            facts = (self.folder / RING).stat()
        except OSError as error:
            raise RingError(f"there is no ring of keys to be had: {error.strerror}") from error
        return facts.st_mtime_ns, facts.st_size, facts.st_ino

    def read(self) -> Ring:
        """The ring as it is. Raises RingError."""
        try:
            content = json.loads((self.folder / RING).read_bytes())
            if content["version"] != _VERSION:
                raise ValueError("written by another version")
            ring = Ring(_KEYS.validate_python(content["keys"]))
            if any(not _KID.fullmatch(key.kid) or key.kid != thumbprint(key.x) for key in ring.keys):
                raise ValueError("a key under another's id")
        except OSError as error:
            raise RingError(f"{RING} cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise RingError(f"{RING} is damaged ({type(error).__name__})") from error
        return ring

    def private(self, key: Key) -> Ed25519PrivateKey:
        """The private half of a key. Raises RingError, also where it is not that key's."""
        try:
            private = load_pem_private_key(self._file(key.kid).read_bytes(), None)
        except (OSError, ValueError, TypeError) as error:
            raise RingError(f"the private key {key.kid} cannot be read ({type(error).__name__})") from error
        if not isinstance(private, Ed25519PrivateKey) or _x(private) != key.x:
            raise RingError(f"the file of {key.kid} holds another key")
        return private

    def init(self) -> Key:
        """A new ring with one key that signs at once. Raises RingError where there is a ring."""
        with self._changing():
            if self.exists():
                raise RingError("there is a ring already")
            return self._add(Ring(), 0.0)

    def rotate(self, *, lead_s: float = LEAD_S) -> Key:
        """A new key, published now and signing in `lead_s`; so long should everybody take to hear of it."""
        with self._changing():
            return self._add(self.read(), lead_s)

    def revoke(self, kid: str) -> Key | None:
        """No ticket of that key is good any more; the key that signs from now on, where it was the one that did.

        Raises RingError where there is no such key.
        """
        with self._changing():
            ring, now = self.read(), self._clock()
            signing = ring.active(now)
            try:
                without = ring.without(kid, now)
            except KeyError:
                raise RingError("there is no such key in the ring") from None
            if signing is None or signing.kid != kid:
                self._write(without)
                return None
            # A retired key never signs again: the next one does, or a new one.
            hurried = ring.hurried(now)
            if hurried == ring:
                return self._add(without, 0.0)
            self._write(hurried.without(kid, now))
            return hurried.active(now)

    def states(self) -> list[tuple[Key, State]]:
        """All keys, and what each is for now. Raises RingError."""
        ring, now = self.read(), self._clock()
        return [(key, ring.state(key, now)) for key in ring.keys]

    def _add(self, ring: Ring, lead_s: float) -> Key:
        private, now = Ed25519PrivateKey.generate(), self._clock()
        x = _x(private)
        key = Key(thumbprint(x), x, created=now, signs_from=now + lead_s)
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self._replace(self._file(key.kid), pem)
        self._write(ring.with_key(key, now))
        return key

    def _write(self, ring: Ring) -> None:
        content = {"version": _VERSION, "keys": [asdict(key) for key in ring.keys]}
        self._replace(self.folder / RING, json.dumps(content, indent=1).encode() + b"\n")
        now = self._clock()
        signing = {key.kid for key in ring.published(now)}  # retired ones too: by a clock set back they sign
        for file in self.folder.glob("*.pem"):
            if _KID.fullmatch(file.stem) and file.stem not in signing:  # other people's files are left alone
                file.unlink(missing_ok=True)

    def _replace(self, path: Path, content: bytes) -> None:
        draft, name = tempfile.mkstemp(dir=self.folder, prefix=".draft-")  # mode 0600
        try:
            with os.fdopen(draft, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """One change at a time. Raises RingError where the folder cannot be written."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with (self.folder / ".lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise RingError(f"the folder of keys cannot be written: {error.strerror}") from error

    def _file(self, kid: str) -> Path:
        return self.folder / f"{kid}.pem"


def _x(private: Ed25519PrivateKey) -> str:
    return base64.urlsafe_b64encode(private.public_key().public_bytes_raw()).rstrip(b"=").decode()
