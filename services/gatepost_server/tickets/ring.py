"""The keys that sign tickets, and what each is for as time goes by. Pure: files are tickets.folder's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from gatepost_server.domain.ticket import LONGEST_TICKET_S


class State(StrEnum):
    """What a key is for at a moment."""

    NEXT = "next"  # published, so that everybody knows it before it signs
    ACTIVE = "active"  # signs
    RETIRED = "retired"  # signs no more; published until the last of its tickets has expired
    SPENT = "spent"  # all of its tickets have expired
    REVOKED = "revoked"  # none of its tickets is good any more


@dataclass(frozen=True, slots=True)
class Key:
    """The public half of a key. Times are Unix seconds."""

    kid: str
    x: str  # the 32 bytes of the public key, base64url (RFC 8037)
    created: float
    signs_from: float
    revoked: float | None = None


@dataclass(frozen=True, slots=True)
class Ring:
    """Keys, in the order of their making."""

    keys: tuple[Key, ...] = ()

    def active(self, now: float) -> Key | None:
        """The key that signs: the newest whose time has come; by a clock that was set back, the first that will."""
        good = sorted((key for key in self.keys if key.revoked is None), key=lambda key: (key.signs_from, key.created))
        come = [key for key in good if key.signs_from <= now]
        return come[-1] if come else next(iter(good), None)

    def state(self, key: Key, now: float) -> State:
        """What a key of this ring is for."""
        if key.revoked is not None:
            return State.REVOKED
        if key == self.active(now):
            return State.ACTIVE
        if key.signs_from > now:
            return State.NEXT
        return State.RETIRED if now < self._stopped(key, now) + LONGEST_TICKET_S else State.SPENT

    def published(self, now: float) -> tuple[Key, ...]:
        """The keys whose tickets are good, or will be."""
        return tuple(key for key in self.keys if self.state(key, now) in (State.NEXT, State.ACTIVE, State.RETIRED))

    def jwks(self, now: float) -> str:
        """The published keys as a JSON Web Key Set (RFC 7517)."""
        return json.dumps({"keys": [_jwk(key) for key in self.published(now)]})

    def with_key(self, key: Key, now: float) -> Ring:
        """This ring and a new key; what is spent, and what was revoked long ago, is forgotten."""
        forgotten = {
            old.kid
            for old in self.keys
            if self.state(old, now) is State.SPENT
            or (old.revoked is not None and old.revoked + LONGEST_TICKET_S <= now)
        }
        return Ring((*(old for old in self.keys if old.kid not in forgotten), key))

    def without(self, kid: str, now: float) -> Ring:
        """This ring with a key revoked. Raises KeyError for one that is not in it."""
        if kid not in {key.kid for key in self.keys}:
            raise KeyError(kid)
        return self._each(lambda key: replace(key, revoked=key.revoked or now) if key.kid == kid else key)

    def hurried(self, now: float) -> Ring:
        """This ring with its next key, where there is one, signing at once."""
        waiting = [key for key in self.keys if self.state(key, now) is State.NEXT]
        if not waiting:
            return self
        first = min(waiting, key=lambda key: key.signs_from)
        return self._each(lambda key: replace(key, signs_from=now) if key == first else key)

    def _each(self, change: Callable[[Key], Key]) -> Ring:
        return Ring(tuple(map(change, self.keys)))

    def _stopped(self, key: Key, now: float) -> float:
        """When a newer key took over; the latest moment that is possible, where keys were revoked since."""
        newer: Iterable[Key] = (
            other
            for other in self.keys
            if other.revoked is None and (other.signs_from, other.created) > (key.signs_from, key.created)
        )
        return min((other.signs_from for other in newer), default=now)


def thumbprint(x: str) -> str:
    """A key's id: the first 16 hex digits of its JWK thumbprint (RFC 7638)."""
    canonical = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _jwk(key: Key) -> dict[str, str]:
    return {"kty": "OKP", "crv": "Ed25519", "x": key.x, "kid": key.kid, "use": "sig", "alg": "EdDSA"}
