"""JSON Web Tokens of an OIDC issuer as credentials."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import jwt
import structlog
from jwt.exceptions import PyJWTError

from gatepost_server.gateway.credentials.caller import TENANT, Caller, Role, roles_of
from gatepost_server.gateway.credentials.issuer_keys import KeysAwayError, KeySource

# Signatures that only the issuer can make: no HS*, for whoever checks those can make them, and no "none".
Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]

_log = structlog.get_logger("gatepost.credentials")


@dataclass(frozen=True, slots=True)
class OidcTerms:
    """What a token must say, and where it says who it is of. Claims may be paths: "realm_access.roles"."""

    issuer: str
    audience: str
    algorithms: tuple[Algorithm, ...] = ("RS256", "ES256")
    leeway_s: float = 30.0
    tenant_claim: str = "tenant"
    roles_claim: str = "roles"
    role_prefix: str = ""  # "gatepost:" where roles of several applications stand in one claim


class OidcTokens:
    """Checks tokens of one issuer. Nothing that a token says is believed before its signature."""

    def __init__(self, terms: OidcTerms, keys: KeySource) -> None:
        self._terms = terms
        self._keys = keys

    async def find(self, token: str) -> Caller | None:
        """Whose it is; None where it is nobody's. Raises KeysAwayError."""
        try:
            claims = await self._claims(token)
        except KeysAwayError:
            raise
        except (PyJWTError, ValueError, TypeError, RecursionError) as error:  # PyJWT lets some of the latter through
            _log.info("jwt_refused", error=type(error).__name__)
            return None
        tenant = _at(claims, self._terms.tenant_claim)
        if not isinstance(tenant, str) or not re.fullmatch(TENANT, tenant):
            _log.warning("jwt_refused", error="no tenant in it")
            return None
        return Caller(tenant, self._roles(claims), f"oidc:{str(claims['sub'])[:128]}")

    async def _claims(self, token: str) -> Mapping[str, Any]:
        terms = self._terms
        key_id = jwt.get_unverified_header(token).get("kid")
        key = await self._keys.find(key_id) if isinstance(key_id, str) else None
        if key is None:
            raise jwt.InvalidKeyError("no such key")
        claims: Mapping[str, Any] = jwt.decode(
            token,
            key=key,
            algorithms=terms.algorithms,
            issuer=terms.issuer,
            audience=terms.audience,
            leeway=terms.leeway_s,
            options={"require": ["exp", "iss", "aud", "sub"]},
        )
        return claims

    def _roles(self, claims: Mapping[str, Any]) -> frozenset[Role]:
        said = _at(claims, self._terms.roles_claim)
        words: Iterable[Any] = said.split() if isinstance(said, str) else said if isinstance(said, list) else ()
        prefix = self._terms.role_prefix
        return roles_of(
            word.removeprefix(prefix) for word in words if isinstance(word, str) and word.startswith(prefix)
        )


def _at(claims: Mapping[str, Any], path: str) -> Any:
    """The claim of that name, or what lies at that path: names may hold dots ("https://corp.example/tenant")."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def looks_like_jwt(token: str) -> bool:
    """Three parts."""
    return token.count(".") == 2
