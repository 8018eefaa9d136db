"""Whether a ticket releases an image."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import jwt

from gatepost_client.tickets.keys import KeySource, UnknownKeyError
from gatepost_client.verdict import Versioned

# RFC 8725, section 3.11: tokens of another kind under the same key never pass for tickets.
TYPE = "gatepost-ticket+jwt"
ALGORITHM = "EdDSA"
MAX_TICKET_CHARACTERS = 8_192

_CLAIMS = ("iss", "sub", "aud", "iat", "exp", "jti", "image", "policy", "models")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# A signature of 64 bytes has one spelling: what else base64 lets pass is not ours.
_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{85}[AQgw]")


class Refusal(StrEnum):
    """Why a ticket does not release an image."""

    MISSING = "MISSING"  # there is no ticket
    MALFORMED = "MALFORMED"  # not one of gatepost's tickets at all
    ALGORITHM = "ALGORITHM"  # not signed with Ed25519; "none" is among these
    KEY = "KEY"  # signed with a key that is unknown or revoked, or the keys cannot be had
    SIGNATURE = "SIGNATURE"  # altered, or signed by somebody else
    EXPIRED = "EXPIRED"  # its time has passed
    NOT_YET_VALID = "NOT_YET_VALID"  # issued in the future: a clock is wrong
    ISSUER = "ISSUER"  # another gatepost's
    AUDIENCE = "AUDIENCE"  # for somebody else, as for another policy's images
    IMAGE = "IMAGE"  # for other bytes than these


class TicketRefused(Exception):  # noqa: N818 - named for what happened to the ticket
    """The image must not be shown. `reason` says why, for machines; the message is for developers."""

    def __init__(self, reason: Refusal, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a good ticket says."""

    id: str  # this ticket's own
    verdict: str  # "verdicts/<id>"
    image_sha256: str  # of the encoded file, 64 hex digits
    policy: Versioned
    models: tuple[Versioned, ...]
    issuer: str
    audience: str
    issued: datetime
    expires: datetime
    key_id: str


def verify(
    image: bytes | str | os.PathLike[str],
    ticket: str,
    keys: KeySource,
    *,
    audience: str,
    issuer: str = "gatepost",
    leeway_s: float = 30.0,
) -> Ticket:
    """The ticket, if it releases exactly this image (a file's bytes, or its path) to `audience`.

    `leeway_s` is how far clocks may differ. Raises TicketRefused; OSError where the file cannot be read.
    """
    found = _good(ticket, keys, audience, issuer, leeway_s)  # first: hashing a file costs more than refusing
    if isinstance(image, bytes):
        digest = hashlib.sha256(image).hexdigest()
    else:
        with Path(image).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    return _for(digest, found)


def verify_digest(
    image_sha256: str,
    ticket: str,
    keys: KeySource,
    *,
    audience: str,
    issuer: str = "gatepost",
    leeway_s: float = 30.0,
) -> Ticket:
    """As verify, for a SHA-256 (64 hex digits) that the caller took of the bytes that will be shown."""
    return _for(image_sha256.lower(), _good(ticket, keys, audience, issuer, leeway_s))


def _for(digest: str, found: Ticket) -> Ticket:
    if found.image_sha256 != digest:
        raise TicketRefused(Refusal.IMAGE, "the ticket is for other bytes than these")
    return found


def _good(ticket: str, keys: KeySource, audience: str, issuer: str, leeway_s: float) -> Ticket:
    key_id = _key_id(ticket)
    try:
        claims = jwt.decode(
            ticket,
            keys.find(key_id),
            algorithms=[ALGORITHM],
            audience=audience,
            issuer=issuer,
            leeway=leeway_s,
            options={"require": list(_CLAIMS), "strict_aud": True},
        )
    except UnknownKeyError as problem:
        raise TicketRefused(Refusal.KEY, str(problem)) from None
    except jwt.InvalidTokenError as problem:
        raise _refused(problem) from None
    except (TypeError, ValueError, OverflowError, RecursionError):  # a claim that PyJWT does not expect
        raise TicketRefused(Refusal.MALFORMED, "the ticket's claims are not those of a ticket") from None
    return _ticket(claims, key_id)


def _key_id(ticket: str) -> str:
    """The id of the key that the ticket claims, once its header is in order."""
    if not ticket:
        raise TicketRefused(Refusal.MISSING, "there is no ticket")
    if len(ticket) > MAX_TICKET_CHARACTERS:
        raise TicketRefused(Refusal.MALFORMED, "this is far too long for a ticket")
    if not ticket.isascii():
        raise TicketRefused(Refusal.MALFORMED, "this is not a JSON Web Token")
    try:
        header = jwt.get_unverified_header(ticket)
    except (jwt.InvalidTokenError, RecursionError):
        raise TicketRefused(Refusal.MALFORMED, "this is not a JSON Web Token") from None
    if header.get("alg") != ALGORITHM:
        raise TicketRefused(Refusal.ALGORITHM, "tickets are signed with EdDSA and nothing else")
    if header.get("typ") != TYPE:
        raise TicketRefused(Refusal.MALFORMED, "the token is of another kind than tickets")
    key_id = header.get("kid")
    if not isinstance(key_id, str) or not key_id:
        raise TicketRefused(Refusal.KEY, "the ticket does not say which key signed it")
    if not _SHAPE.fullmatch(ticket):
        raise TicketRefused(Refusal.MALFORMED, "the token does not have the form of a ticket")
    return key_id


_REFUSALS: tuple[tuple[type[jwt.InvalidTokenError], Refusal, str], ...] = (
    (jwt.ExpiredSignatureError, Refusal.EXPIRED, "the ticket has expired"),
    (jwt.ImmatureSignatureError, Refusal.NOT_YET_VALID, "the ticket is not valid yet: is a clock wrong?"),
    (jwt.InvalidAudienceError, Refusal.AUDIENCE, "the ticket is for another audience"),
    (jwt.InvalidIssuerError, Refusal.ISSUER, "the ticket is of another issuer"),
    (jwt.InvalidAlgorithmError, Refusal.ALGORITHM, "tickets are signed with EdDSA and nothing else"),
    (jwt.InvalidSignatureError, Refusal.SIGNATURE, "the signature is not of these words"),
)


def _refused(problem: jwt.InvalidTokenError) -> TicketRefused:
    for kind, reason, message in _REFUSALS:
        if isinstance(problem, kind):
            return TicketRefused(reason, message)
    return TicketRefused(Refusal.MALFORMED, "the ticket lacks something, or holds what no ticket does")


def _ticket(claims: Mapping[str, Any], key_id: str) -> Ticket:
    try:
        policy, models = claims["policy"], claims["models"]
        digest = _text(claims["image"]["sha256"])
        if not _SHA256.fullmatch(digest):
            raise ValueError("not a SHA-256")
        return Ticket(
            id=_text(claims["jti"]),
            verdict=_text(claims["sub"]),
            image_sha256=digest,
            policy=Versioned(_text(policy["name"]), _text(policy["version"])),
            models=tuple(Versioned(_text(name), _text(version)) for name, version in models.items()),
            issuer=_text(claims["iss"]),
            audience=_text(claims["aud"]),
            issued=_time(claims["iat"]),
            expires=_time(claims["exp"]),
            key_id=key_id,
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError):
        raise TicketRefused(Refusal.MALFORMED, "the ticket's claims are not those of a ticket") from None


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("not a text")
    return value


def _time(value: object) -> datetime:
    if type(value) is not int:  # True is an int, too
        raise TypeError("not whole seconds")
    return datetime.fromtimestamp(value, UTC)
