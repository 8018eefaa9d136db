"""Pictures leave an ASGI application only with a ticket for exactly their bytes.

app = TicketMiddleware(app, keys=JwksUrl("https://gatepost.internal/.well-known/jwks.json"), audience="greeting-card")

The ticket comes with the request: in the header `Gatepost-Ticket`, else in the query as `ticket`, else in the
cookie `gatepost_ticket`. Works with Starlette, FastAPI, Django and whatever else speaks ASGI 3.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from gatepost_client.tickets.check import Refusal, Ticket, TicketRefused, verify
from gatepost_client.tickets.keys import KeySource
from gatepost_client.tickets.pictures import HEAD, is_picture

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HEADER, QUERY, COOKIE = b"gatepost-ticket", "ticket", "gatepost_ticket"

_log = logging.getLogger(__name__)
# Asked without these, the application sends whole bodies, uncompressed. Parts of a picture have no ticket, and "not
# modified" would show an old copy without one.
_WITHHELD_HEADERS = frozenset(
    {b"range", b"if-range", b"accept-encoding", b"if-none-match", b"if-modified-since", b"if-match"}
)
# A body that goes around `send` cannot be looked at: of a server's extensions, only those that send none are known.
_KNOWN_EXTENSIONS = frozenset({"tls", "http.response.debug"})
# Whatever the application says of caches, nobody is shown a copy that was not checked.
_REPLACED_HEADERS = frozenset({b"cache-control", b"expires", b"cdn-cache-control", b"surrogate-control"})
# Pictures inside a body of several parts are shown one by one.
_PICTURE_TYPES = (b"image/", b"multipart/x-mixed-replace", b"multipart/byteranges")


class TicketMiddleware:
    """Holds back every picture in a response, by its type or its first bytes, until its ticket is checked.

    `except_for` are path prefixes whose answers are not looked at, such as a site's own logo: "/static/".
    Pictures above `max_bytes` are refused, for they are held in memory while they are checked.
    `cache_s` lets the browser that was shown a picture show it again without asking, for that long at most.
    `told` hears of every refusal, such as tickets.counting.counted().
    Compress outside of this middleware: what comes compressed to it is refused. Web sockets are not looked at.
    Raises ValueError for prefixes that except more than they say.
    """

    def __init__(
        self,
        app: App,
        *,
        keys: KeySource,
        audience: str,
        issuer: str = "gatepost",
        except_for: Sequence[str] = (),
        max_bytes: int = 64 << 20,
        cache_s: int = 0,
        told: Callable[[Refusal], None] = lambda _: None,
    ) -> None:
        if isinstance(except_for, str) or any(not _is_folder(prefix) for prefix in except_for):
            raise ValueError('except_for: prefixes of paths such as "/static/", each between slashes')
        self._app = app
        self._keys = keys
        self._audience = audience
        self._issuer = issuer
        self._except_for = tuple(except_for)
        self._max_bytes = max_bytes
        self._cache_s = cache_s
        self._told = told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI says."""
        if scope["type"] != "http" or _is_below(scope["path"], self._except_for):
            await self._app(scope, receive, send)
            return
        gate = _Gate(send, self._check, ticket_of(scope), self._max_bytes, self._cache_s, self._told)
        await self._app(_whole(scope), receive, gate.send)
        await gate.finish()

    async def _check(self, image: bytes, ticket: str) -> Ticket:
        # In a thread: a source of keys may ask a server, and hashing takes its time.
        return await asyncio.to_thread(verify, image, ticket, self._keys, audience=self._audience, issuer=self._issuer)


class _Gate:
    """One response on its way out."""

    def __init__(
        self,
        send: Send,
        check: Callable[[bytes, str], Awaitable[Ticket]],
        ticket: str,
        max_bytes: int,
        cache_s: int,
        told: Callable[[Refusal], None],
    ) -> None:
        self._told = told
        self._send = send
        self._check = check
        self._ticket = ticket
        self._max_bytes = max_bytes
        self._cache_s = cache_s
        self._start: Message = {}  # held back until it is known what follows
        self._body = bytearray()
        self._open = False  # it is no picture: everything else may go
        self._done = False

    async def send(self, message: Message) -> None:
        if self._open:
            await self._send(message)
        elif self._done:
            return  # refused, or sent: what the application still says is not for the caller
        elif message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body" and self._start:
            self._body += message.get("body", b"")
            await self._decide(last=not message.get("more_body", False))
        elif message["type"] == "http.response.debug":
            return
        else:
            await self._refuse(TicketRefused(Refusal.MALFORMED, f"{message['type']} cannot be checked"))

    async def finish(self) -> None:
        """An application that stopped half-way has sent nothing that may be shown."""
        if self._start and not self._open and not self._done:
            await self._decide(last=True)

    async def _decide(self, *, last: bool) -> None:
        picture = _says_picture(self._start) or is_picture(bytes(self._body[:HEAD]))
        if self._body and _is_encoded(self._start):
            await self._refuse(TicketRefused(Refusal.IMAGE, "what is compressed cannot be looked at"))
        elif picture is False or (picture is None and last):
            self._open = True
            await self._send(self._start)
            await self._send({"type": "http.response.body", "body": bytes(self._body), "more_body": not last})
        elif len(self._body) > self._max_bytes:
            await self._refuse(TicketRefused(Refusal.IMAGE, "the picture is too large to be checked"))
        elif last:
            await self._release()

    async def _release(self) -> None:
        body, start = bytes(self._body), self._start
        if body:  # without one (HEAD) nothing is shown
            try:
                ticket = await self._check(body, self._ticket)
            except TicketRefused as refused:
                await self._refuse(refused)
                return
            start = {**start, "headers": _cached(start, self._cache_s, ticket)}
        self._done = True
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})

    async def _refuse(self, refused: TicketRefused) -> None:
        self._done = True
        self._body.clear()
        _log.warning("picture refused: %s", refused.reason.value)
        self._told(refused.reason)
        for message in refusal(refused):
            await self._send(message)


def refusal(refused: TicketRefused) -> tuple[Message, Message]:
    """A 403 answer (RFC 9457) that says why, never cached."""
    body = json.dumps({"title": "This picture has not been released.", "status": 403, "reason": refused.reason.value})
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"cache-control", b"no-store"),
        (b"content-length", str(len(body)).encode()),
    ]
    return (
        {"type": "http.response.start", "status": 403, "headers": headers},
        {"type": "http.response.body", "body": body.encode()},
    )


def ticket_of(scope: Scope) -> str:
    """The ticket that came with a request; "" without one."""
    if named := _values(scope["headers"], HEADER):
        return named[0].decode("latin-1")
    if in_query := parse_qs(scope.get("query_string", b"").decode("latin-1")).get(QUERY):
        return str(in_query[0])
    try:
        jar = SimpleCookie(b"; ".join(_values(scope["headers"], b"cookie")).decode("latin-1"))
    except CookieError:
        return ""
    return str(jar[COOKIE].value) if COOKIE in jar else ""


def _whole(scope: Scope) -> Scope:
    """The request, asking for whole pictures, uncompressed and through `send`."""
    headers = [(name, value) for name, value in scope["headers"] if name.lower() not in _WITHHELD_HEADERS]
    extensions = {k: v for k, v in (scope.get("extensions") or {}).items() if k in _KNOWN_EXTENSIONS}
    return {**scope, "headers": headers, "extensions": extensions}


def _is_folder(prefix: str) -> bool:
    return len(prefix) > 2 and prefix.startswith("/") and prefix.endswith("/")


def _is_below(path: str, prefixes: Iterable[str]) -> bool:
    # A path that climbs is below nothing, whichever way its slashes lean.
    climbs = ".." in path.replace("\\", "/").split("/")
    return not climbs and any(path.startswith(prefix) for prefix in prefixes)


def _says_picture(start: Message) -> bool:
    # 206 although no part was asked for: the rest of it may come another way.
    kinds = [value.lower() for value in _values(start.get("headers", ()), b"content-type")]
    return start.get("status") == 206 or any(kind in value for value in kinds for kind in _PICTURE_TYPES)


def _is_encoded(start: Message) -> bool:
    codings = b",".join(_values(start.get("headers", ()), b"content-encoding"))
    return any(coding.strip().lower() not in (b"", b"identity") for coding in codings.split(b","))


def _cached(start: Message, cache_s: int, ticket: Ticket) -> list[tuple[bytes, bytes]]:
    left_s = min(cache_s, int(ticket.expires.timestamp() - time.time()))
    control = b"private, max-age=%d" % left_s if left_s > 0 else b"no-store"
    kept = [(name, value) for name, value in start.get("headers", ()) if name.lower() not in _REPLACED_HEADERS]
    return [*kept, (b"cache-control", control)]


def _values(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    return [value for key, value in headers if key.lower() == name]
