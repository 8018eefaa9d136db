"""Sign-in by an OpenID Connect issuer: the authorization code flow with PKCE, by authlib.

The account is named after the issuer's user and can be entered in no other way; its role is what the token says, anew
at each sign-in.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth
from httpx2 import HTTPError
from joserfc.errors import JoseError
from starlette.requests import Request
from starlette.responses import Response

from gatepost_server.console.settings import ConsoleOidc
from gatepost_server.records.accounts import Account, AccountRole, Accounts

PREFIX = "oidc:"  # before the name of such an account; no local one holds a colon
_LONGEST = 100


class SignInError(RuntimeError):
    """The issuer let nobody in, or cannot be asked; the message is for the log."""


class Issuer:
    """The one of the settings. Asks for its addresses and keys when somebody first signs in."""

    def __init__(self, settings: ConsoleOidc) -> None:
        self._settings = settings
        self._client: Any = OAuth().register(
            "issuer",
            client_id=settings.client_id,
            client_secret=settings.client_secret.get_secret_value() if settings.client_secret is not None else None,
            server_metadata_url=f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={"scope": settings.scope, "code_challenge_method": "S256", "timeout": settings.timeout_s},
        )

    @property
    def state_key(self) -> str:
        """What signs the cookie of those who are away: the same for all consoles that share a client secret."""
        secret = self._settings.client_secret
        if secret is None:
            return secrets.token_hex()
        return hashlib.sha256(f"gatepost console state {secret.get_secret_value()}".encode()).hexdigest()

    async def ask(self, request: Request, back: str) -> Response:
        """Send the browser to the issuer, which sends it to `back`. Raises SignInError."""
        try:
            answer: Response = await self._client.authorize_redirect(request, back)
        except (HTTPError, RuntimeError, ValueError, KeyError) as error:
            raise SignInError(f"the issuer cannot be asked: {type(error).__name__}") from error
        return answer

    async def answered(self, request: Request, accounts: Accounts) -> Account:
        """Who came back. Raises SignInError; GatepostError where the accounts cannot be read."""
        try:
            token = await self._client.authorize_access_token(request)
        except (AuthlibBaseError, JoseError, HTTPError, RuntimeError, ValueError, KeyError, TypeError) as error:
            raise SignInError(f"no good token: {type(error).__name__}") from error
        claims = token.get("userinfo")
        if not claims or claims.get("iss") != self._settings.issuer:
            raise SignInError("no ID token of this issuer")
        return await self._account(claims, accounts)

    async def _account(self, claims: Mapping[str, Any], accounts: Accounts) -> Account:
        said, role = claims.get(self._settings.name_claim), self._role(claims)
        if not isinstance(said, str) or not said.isprintable() or not 0 < len(said) <= _LONGEST:
            raise SignInError(f"no {self._settings.name_claim} in the token")
        if role is None:
            raise SignInError("no role of the console in the token")
        name = f"{PREFIX}{said}"
        if await accounts.add(Account(name, role)):
            return Account(name, role)
        account = await accounts.find(name)
        if account is None or account.disabled:
            raise SignInError("the account is disabled")
        if account.role is not role:
            account = replace(account, role=role)
            await accounts.change(account)
        return account

    def _role(self, claims: Mapping[str, Any]) -> AccountRole | None:
        """The one that may most."""
        said = _at(claims, self._settings.roles_claim)
        words: Iterable[Any] = said.split() if isinstance(said, str) else said if isinstance(said, list) else ()
        prefix = self._settings.role_prefix
        own = {word.removeprefix(prefix) for word in words if isinstance(word, str) and word.startswith(prefix)}
        return next((role for role in reversed(AccountRole) if role.value in own), None)


def _at(claims: Mapping[str, Any], path: str) -> Any:
    """The claim of that name, or what lies at that path: "realm_access.roles"."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found
