"""Encryption of images at rest: AES-256-GCM, the key named beside what it sealed, so that keys can change.

A sealed image is b"GPS1", one byte for the length of the key's id, the id, 12 bytes of nonce, and the ciphertext with
its tag. The verdict's name is authenticated with it: an image moved under another name does not open.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_MAGIC = b"GPS1"
_NONCE = 12
_KEY_BYTES = 32
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class SealError(ValueError):
    """Keys that cannot be used, or an image that they do not open. The message holds nothing of either."""


class Sealer:
    """Seals with the first key, opens with any. Without keys images are kept as they are."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """`keys`: 32 bytes by id, the one to seal with first. Raises SealError."""
        for key_id, key in keys.items():
            if not _ID.fullmatch(key_id) or len(key) != _KEY_BYTES:
                raise SealError("a key is an id of [A-Za-z0-9._-] and 32 bytes")
        self._keys = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._first = next(iter(keys), "")

    @classmethod
    def of(cls, text: str) -> Sealer:
        """Reads "id:base64 id:base64". Raises SealError."""
        keys: dict[str, bytes] = {}
        for part in text.split():
            key_id, _, encoded = part.partition(":")
            try:
                keys[key_id] = base64.b64decode(encoded, validate=True)
            except binascii.Error:
                raise SealError("a key is not base64") from None
        return cls(keys)

    @property
    def seals(self) -> bool:
        """Whether there is a key."""
        return bool(self._first)

    def seal(self, image: bytes, name: str) -> bytes:
        """What may lie on a disk."""
        if not self._first:
            return image
        nonce = os.urandom(_NONCE)
        head = _MAGIC + bytes([len(self._first)]) + self._first.encode() + nonce
        return head + self._keys[self._first].encrypt(nonce, image, name.encode())

    def open(self, sealed: bytes, name: str) -> bytes:
        """The image; what was kept before there were keys is as it was. Raises SealError."""
        if not sealed.startswith(_MAGIC):
            return sealed
        start = len(_MAGIC) + 1
        end = start + sealed[len(_MAGIC)] if len(sealed) > len(_MAGIC) else start
        key = self._keys.get(sealed[start:end].decode("ascii", "replace"))
        if key is None:
            raise SealError("the image was sealed with a key that is not among the settings'")
        try:
            return key.decrypt(sealed[end : end + _NONCE], sealed[end + _NONCE :], name.encode())
        except (InvalidTag, ValueError):
            raise SealError("the image was changed since it was sealed, or it is another verdict's") from None


def new_key() -> str:
    """A key in the form that `Sealer.of` reads, its id made of the key's own chance."""
    return f"{os.urandom(4).hex()}:{base64.b64encode(os.urandom(_KEY_BYTES)).decode()}"
