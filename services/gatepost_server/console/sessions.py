"""Who is asking: a random token in a cookie, its hash in the database.

The same cookie, known to no database, ties the forms of somebody who is not signed in to their browser.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from gatepost_server.console.settings import ConsoleSettings
from gatepost_server.records.accounts import Account, Accounts

_BY_ITSELF = "gatepost-by-itself"  # header of requests that a clock in the page sends, and no person
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever sent a request. `account` is None where nobody is signed in; `token` may then be ""."""

    account: Account | None
    token: str

    @property
    def csrf(self) -> str:
        """What their forms carry; "" where there is no cookie."""
        return hashlib.sha256(f"csrf {self.token}".encode()).hexdigest() if self.token else ""

    def wrote(self, csrf: str) -> bool:
        """Whether a form with that token came from a page of theirs."""
        return bool(self.token) and hmac.compare_digest(self.csrf.encode(), csrf.encode())


class Sessions:
    """Signs people in and out. Methods raise GatepostError (STORE_UNAVAILABLE)."""

    def __init__(
        self, accounts: Accounts, settings: ConsoleSettings, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._accounts = accounts
        self._settings = settings
        self._clock = clock
        self.cookie = "__Host-gatepost" if settings.secure else "gatepost"

    async def visitor(self, request: Request) -> Visitor:
        """Whose request it is. What a page asks for by itself keeps nobody signed in who has left it open."""
        token = request.cookies.get(self.cookie, "")
        if not _TOKEN.fullmatch(token):
            return Visitor(None, "")
        idle_s, step = self._settings.session_idle_s, _BY_ITSELF not in request.headers
        return Visitor(await self._accounts.whose(_id(token), idle_s=idle_s, step=step), token)

    def stranger(self) -> Visitor:
        """Somebody who has no cookie yet; `remember` gives it to them."""
        return Visitor(None, secrets.token_urlsafe(32))

    def remember(self, response: Response, token: str) -> None:
        """Set the cookie: out of reach of scripts, not sent with other sites' forms, gone with the browser."""
        response.set_cookie(self.cookie, token, httponly=True, samesite="lax", secure=self._settings.secure, path="/")

    async def sign_in(self, response: Response, account: Account) -> None:
        """A new token: one that somebody planted before is worth nothing."""
        token = secrets.token_urlsafe(32)
        await self._accounts.begin(account.name, _id(token), until=self._clock() + self._settings.session_s)
        self.remember(response, token)

    async def sign_out(self, response: Response, visitor: Visitor) -> None:
        """Whoever has a copy of the cookie is signed out as well."""
        await self._accounts.end(_id(visitor.token))
        response.delete_cookie(self.cookie, httponly=True, samesite="lax", secure=self._settings.secure, path="/")


def _id(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
