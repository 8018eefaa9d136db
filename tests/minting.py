"""Release tickets for tests: good ones, and ones that are wrong in a chosen way."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from gatepost_client.tickets import Jwks

AUDIENCE = "greeting-card"
MISSING = object()


@dataclass(frozen=True)
class Mint:
    """A private key under an id."""

    kid: str = "key-1"
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def jwk(self) -> dict[str, Any]:
        return {**OKPAlgorithm.to_jwk(self.key.public_key(), as_dict=True), "kid": self.kid, "use": "sig"}

    def jwks(self) -> str:
        return json.dumps({"keys": [self.jwk()]})

    def keys(self) -> Jwks:
        return Jwks(self.jwks())

    def ticket(self, of: bytes, /, *, header: dict[str, Any] | None = None, **changed: Any) -> str:
        """A ticket for an image, good for an hour; claims that are MISSING are left out."""
        head = {"alg": "EdDSA", "typ": "gatepost-ticket+jwt", "kid": self.kid, **(header or {})}
        signed = f"{segment(head)}.{segment(claims(of, **changed))}"
        return f"{signed}.{base64url(self.key.sign(signed.encode()))}"


def base64url(data: bytes) -> str:
    """Without padding, as in JSON Web Tokens."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def segment(value: object) -> str:
    """Of a JSON Web Token. Not by a library: these refuse to write what ours must refuse to read."""
    return base64url(json.dumps(value).encode())


def claims(of: bytes, /, **changed: Any) -> dict[str, Any]:
    """What the ticket for an image says, but for what is changed."""
    now = int(time.time())
    said = {
        "iss": "gatepost",
        "sub": "verdicts/1",
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + 3_600,
        "jti": "ticket-1",
        "image": {"sha256": hashlib.sha256(of).hexdigest()},
        "policy": {"name": AUDIENCE, "version": "0123456789abcdef"},
        "models": {"clip": "1"},
    }
    return {name: value for name, value in {**said, **changed}.items() if value is not MISSING}
