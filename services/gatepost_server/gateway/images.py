"""Images by URI: only from where the operator said, only so large, never through a redirect."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import stat
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError, invalid

_CHUNK = 1 << 16


def check_prefix(prefix: str) -> None:
    """Raises ValueError for a prefix that could not mean one folder of one place.

    The message names its host alone, for the rest may hold a password.
    """
    parts = urlsplit(prefix)
    said = f"that of {parts.hostname or 'no host'}"
    if parts.scheme not in ("file", "http", "https"):
        raise ValueError(f"image_uri_prefixes: {said} is not file://, http:// or https://")
    if not parts.path.endswith("/"):
        raise ValueError(f"image_uri_prefixes: {said} must end with '/', or it would match its neighbours")
    if (parts.scheme == "file") == bool(parts.netloc) or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(f"image_uri_prefixes: {said} must be file:///folder/ or http(s)://host/path/")


class ImageFetcher:
    """Reads images that `prefixes` allow. Must be built inside the event loop that uses it."""

    def __init__(self, prefixes: Sequence[str], *, max_bytes: int, timeout_s: float) -> None:
        """Raises ValueError for a bad prefix."""
        for prefix in prefixes:
            check_prefix(prefix)
        self._folders = tuple(
            Path(unquote(urlsplit(prefix).path)).resolve() for prefix in prefixes if prefix.startswith("file:")
        )
        self._places = tuple(URL(prefix) for prefix in prefixes if not prefix.startswith("file:"))
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, uri: str) -> bytes:
        """The file's bytes. Raises GatepostError: INVALID_ARGUMENT (not allowed, too large), UNAVAILABLE."""
        try:
            scheme = urlsplit(uri).scheme
        except ValueError:
            raise _not_allowed() from None
        if scheme == "file" and self._folders:
            return await asyncio.to_thread(self._read_file, uri)
        if scheme in ("http", "https") and self._places:
            return await self._download(uri)
        raise _not_allowed()

    async def close(self) -> None:
        """Close connections."""
        if self._session is not None:
            await self._session.close()

    def _read_file(self, uri: str) -> bytes:
        parts = urlsplit(uri)
        try:
            path = Path(unquote(parts.path)).resolve()  # symlinks count as where they lead
        except (OSError, ValueError, RuntimeError):
            raise _not_allowed() from None
        if parts.netloc or not any(path.is_relative_to(folder) for folder in self._folders):
            raise _not_allowed()
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            raise _unreachable() from None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _unreachable()
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                data = file.read(self._max_bytes + 1)
        finally:
            os.close(descriptor)
        if len(data) > self._max_bytes:
            raise self._too_large()
        return data

    async def _download(self, uri: str) -> bytes:
        url = self._allowed(uri)
        try:
            async with self._client().get(
                url, allow_redirects=False, headers={"Accept-Encoding": "identity"}
            ) as response:
                if response.status != 200:
                    raise _unreachable()
                return await self._bounded(response)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            raise _unreachable() from None

    def _allowed(self, uri: str) -> URL:
        """The URL, if a prefix allows it."""
        try:
            url = URL(uri)
            segments = unquote(url.raw_path).split("/")
        except ValueError:
            raise _not_allowed() from None
        if url.raw_user is None and url.raw_password is None and ".." not in segments and "\\" not in url.path:
            for place in self._places:
                # Hosts are equal: an address in the URI is one that the operator wrote down, private or not.
                if url.origin() == place.origin() and url.raw_path.startswith(place.raw_path):
                    return url.with_fragment(None)
        raise _not_allowed()

    async def _bounded(self, response: aiohttp.ClientResponse) -> bytes:
        if (response.content_length or 0) > self._max_bytes:
            raise self._too_large()
        data = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            data += chunk
            if len(data) > self._max_bytes:
                raise self._too_large()
        return bytes(data)

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            private = frozenset(place.host or "" for place in self._places if place.host == "localhost")
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=PublicResolver(private), limit=64),
                timeout=aiohttp.ClientTimeout(total=self._timeout_s),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,  # a small answer must not become a large one
                trust_env=False,
            )
        return self._session

    def _too_large(self) -> GatepostError:
        return invalid(
            ErrorReason.IMAGE_TOO_LARGE, f"the file has more than {self._max_bytes} bytes", field="image_uri"
        )


class PublicResolver(AbstractResolver):
    """Resolves names to public addresses only; what it returns is what is connected to, so DNS cannot rebind.

    `trusted` names may resolve to anything.
    """

    def __init__(self, trusted: frozenset[str]) -> None:
        self._trusted = trusted
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """As AbstractResolver.resolve. Raises OSError when no public address is left."""
        found = await self._inner.resolve(host, port, family)
        public = [address for address in found if host in self._trusted or _public(address["host"])]
        if not public:
            raise OSError("no public address")
        return public

    async def close(self) -> None:
        """As AbstractResolver.close."""
        await self._inner.close()


def _public(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return bool((mapped or parsed).is_global and not parsed.is_multicast)


def _not_allowed() -> GatepostError:
    return invalid(ErrorReason.IMAGE_URI_NOT_ALLOWED, "this server does not fetch images from there", field="image_uri")


def _unreachable() -> GatepostError:
    return GatepostError(
        ErrorCode.UNAVAILABLE, ErrorReason.IMAGE_URI_UNREACHABLE, "the image could not be fetched", field="image_uri"
    )
