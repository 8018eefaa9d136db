"""The answer to nginx's `auth_request` (or another server's): may this file be served?

The web server asks before every picture and sends the original address along; this application finds the file
that the address means, hashes it, and answers 204 or 403. examples/nginx/gatepost.conf shows the other half.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote_to_bytes

from gatepost_client.tickets.asgi import Receive, Scope, Send, refusal, ticket_of
from gatepost_client.tickets.check import Refusal, TicketRefused, verify
from gatepost_client.tickets.keys import KeySource

ORIGINAL = b"x-original-uri"

_log = logging.getLogger(__name__)
# What two programs may read differently: slashes, backslashes, percent signs and control characters in disguise or
# bare, half an escape, a fragment; and, once decoded, empty segments and dots.
_DISGUISED = re.compile(rb"%(?![0-9a-f]{2})|%(?:[01].|7f|2f|25|5c)|[\x00-\x20\x7f\\#]", re.IGNORECASE)
_CLIMBING = re.compile(rb"//|/\.{1,2}(?:/|$)")


class FileGate:
    """An ASGI application over a folder: 204 for a request whose ticket is for the file's bytes, 403 otherwise.

    `prefix` is the part of the address that stands for `root`: with "/images/", "/images/a/b.png" is root/a/b.png.
    An address that two programs could read differently is refused: the one that is checked is the one that is served.
    The file is read anew for each question. What is put under a name between the question and its use is not
    seen, so no name may be used twice; a name made of the picture's SHA-256 never is.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        keys: KeySource,
        audience: str,
        issuer: str = "gatepost",
        prefix: str = "/images/",
        told: Callable[[Refusal], None] = lambda _: None,
    ) -> None:
        """`told` hears of every refusal, such as tickets.counting.counted().

        Raises OSError where there is no such folder, ValueError for a prefix without slashes around it.
        """
        if not (prefix.startswith("/") and prefix.endswith("/")):
            raise ValueError('prefix: a path such as "/images/", between slashes')
        self._root = Path(root).resolve(strict=True)
        self._prefix = prefix.encode()
        self._keys = keys
        self._audience = audience
        self._issuer = issuer
        self._told = told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI says."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["type"] != "http":
            raise ValueError(f"a file gate does not speak {scope['type']}")
        originals = [value for name, value in scope["headers"] if name.lower() == ORIGINAL]
        try:
            if len(originals) != 1:
                raise TicketRefused(Refusal.MALFORMED, "the question names no address, or several")
            path, _, query = originals[0].partition(b"?")
            ticket = ticket_of({**scope, "query_string": query})
            await asyncio.to_thread(self._check, path, ticket)
        except TicketRefused as refused:
            _log.warning("picture refused: %s", refused.reason.value)
            self._told(refused.reason)
            for message in refusal(refused):
                await send(message)
            return
        await send({"type": "http.response.start", "status": 204, "headers": [(b"cache-control", b"no-store")]})
        await send({"type": "http.response.body", "body": b""})

    def _check(self, path: bytes, ticket: str) -> None:
        name = unquote_to_bytes(path)
        if not name.startswith(self._prefix) or _DISGUISED.search(path) or _CLIMBING.search(name):
            raise TicketRefused(Refusal.IMAGE, "the address is not one of the folder's, or not a plain one")
        try:
            file = (self._root / os.fsdecode(name.removeprefix(self._prefix))).resolve(strict=True)
            if not file.is_relative_to(self._root) or not file.is_file():
                raise TicketRefused(Refusal.IMAGE, "the address leaves the folder")
            verify(file, ticket, self._keys, audience=self._audience, issuer=self._issuer)
        except (OSError, ValueError):
            raise TicketRefused(Refusal.IMAGE, "there is no such file, or it cannot be read") from None


async def _live(receive: Receive, send: Send) -> None:
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return
