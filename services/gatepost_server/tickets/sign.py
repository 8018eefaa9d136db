"""Signing release tickets: EdDSA JSON Web Tokens (RFC 7519, RFC 8037) with the key of the hour."""

from __future__ import annotations

import time
from collections.abc import Callable

import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.ticket import LONGEST_TICKET_S, Release
from gatepost_server.domain.unique import unique
from gatepost_server.tickets.folder import KeyFolder, RingError
from gatepost_server.tickets.ring import Ring

TYPE = "gatepost-ticket+jwt"
ALGORITHM = "EdDSA"
DEFAULT_ISSUER = "gatepost"

_log = structlog.get_logger("gatepost.tickets")


class TicketSigner:
    """Signs with the active key of a folder's ring, and follows the ring as it changes. For one event loop.

    Looking whether the ring changed is a stat: a revoked key signs nothing more, and an unreadable ring nothing
    at all.
    """

    def __init__(
        self, folder: KeyFolder, *, issuer: str = DEFAULT_ISSUER, clock: Callable[[], float] = time.time
    ) -> None:
        self.issuer = issuer
        self._folder = folder
        self._clock = clock
        self._stamp: tuple[int, int, int] | None = None
        self._ring = Ring()
        self._private: dict[str, Ed25519PrivateKey] = {}

    def sign(self, release: Release) -> str:
        """The ticket. Raises GatepostError (UNAVAILABLE): without a ticket there is no ALLOW."""
        try:
            return self._signed(release)
        except RingError as error:
            _log.error("ticket_not_signed", why=str(error))
            raise _unavailable() from error

    def jwks(self) -> str:
        """The public keys as a JSON Web Key Set. Raises GatepostError (UNAVAILABLE)."""
        try:
            return self._current().jwks(self._clock())
        except RingError as error:
            _log.error("keys_not_shown", why=str(error))
            raise _unavailable() from error

    def _signed(self, release: Release) -> str:
        ring, now = self._current(), self._clock()
        key = ring.active(now)
        if key is None:
            raise RingError("no key of the ring signs now")
        if not 0 < release.terms.ttl_s <= LONGEST_TICKET_S:
            raise RingError("a ticket would outlive its key")
        if key.kid not in self._private:
            self._private = {key.kid: self._folder.private(key)}
        claims = {
            "iss": self.issuer,
            "sub": release.verdict,
            "aud": release.terms.audience,
            "iat": int(now),
            "exp": int(now) + release.terms.ttl_s,
            "jti": unique().hex,
            "image": {"sha256": release.image_sha256},
            "policy": {"name": release.policy, "version": release.policy_version},
            "models": dict(release.models),
        }
        headers = {"typ": TYPE, "kid": key.kid}
        return jwt.encode(claims, self._private[key.kid], algorithm=ALGORITHM, headers=headers)

    def _current(self) -> Ring:
        stamp = self._folder.stamp()
        if stamp != self._stamp:
            self._private = {}
            self._stamp = None  # a ring that cannot be read is tried again
            self._ring = self._folder.read()
            self._stamp = stamp
        return self._ring


def _unavailable() -> GatepostError:
    return GatepostError(
        ErrorCode.UNAVAILABLE,
        ErrorReason.TICKETS_UNAVAILABLE,
        "release tickets cannot be signed at the moment",
        retry_after_s=1.0,
    )
