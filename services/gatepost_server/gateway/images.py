"""Images by URI: only from where the operator said, only so large, never through a redirect."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiohttp
from yarl import URL

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError, invalid
from gatepost_server.gateway.public_addresses import PublicResolver

_CHUNK = 1 << 16
_MAX_URI = 4096  # characters


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
    if parts.scheme == "file" and (not parts.path.startswith("/") or Path(unquote(parts.path)).resolve() == Path("/")):
        raise ValueError(f"image_uri_prefixes: {prefix!r} must name a folder by its whole path, and not the whole disk")


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
        # urlsplit drops line breaks and tabs wherever they stand; what was checked must be what is fetched.
        if len(uri) > _MAX_URI or not uri.isprintable():
            raise _not_allowed()
        try:
            scheme = urlsplit(uri).scheme
        except ValueError:
            raise _not_allowed() from None
        if scheme == "file" and self._folders:
            try:
                return await asyncio.wait_for(asyncio.to_thread(self._read_file, uri), self._timeout_s)
            except TimeoutError:  # a network file system that does not answer; its thread ends when it does
                raise _unreachable() from None
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
        if parts.netloc or parts.query or not parts.path.startswith("/") or not self._inside(path):
            raise _not_allowed()
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            raise _unreachable() from None
        try:
            # A folder on the way may have become a symlink since: what counts is what was opened.
            if not self._inside(Path(f"/proc/self/fd/{descriptor}").readlink()):
                raise _not_allowed()
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _unreachable()
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                data = file.read(self._max_bytes + 1)
        except OSError:
            raise _unreachable() from None
        finally:
            os.close(descriptor)
        if len(data) > self._max_bytes:
            raise self._too_large()
        return data

    def _inside(self, path: Path) -> bool:
        return any(path.is_relative_to(folder) for folder in self._folders)

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
            origin = url.origin()
        except ValueError:  # no URL, or one without a host
            raise _not_allowed() from None
        if url.raw_user is None and url.raw_password is None and not _climbs(url.raw_path):
            for place in self._places:
                # Hosts are equal: an address in the URI is one that the operator wrote down, private or not.
                if origin == place.origin() and url.raw_path.startswith(place.raw_path):
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
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=PublicResolver(), limit=64),
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


def _climbs(raw_path: str) -> bool:
    """Whether any server might read ".." or a backslash out of the path, however often it decodes."""
    path, decoded = raw_path, unquote(raw_path)
    while path != decoded:
        path, decoded = decoded, unquote(decoded)
    return "\\" in path or any(segment.partition(";")[0] == ".." for segment in path.split("/"))


def _not_allowed() -> GatepostError:
    return invalid(ErrorReason.IMAGE_URI_NOT_ALLOWED, "this server does not fetch images from there", field="image_uri")


def _unreachable() -> GatepostError:
    return GatepostError(
        ErrorCode.UNAVAILABLE, ErrorReason.IMAGE_URI_UNREACHABLE, "the image could not be fetched", field="image_uri"
    )
