"""Server-side request forgery, over real sockets: a server that must not be reached counts who comes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gatepost_server.domain.errors import ErrorReason, GatepostError
from gatepost_server.gateway.images import ImageFetcher, check_prefix

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\npng"
PUBLIC = "93.184.216.34"


class Server:
    """Answers every connection of this machine with the given bytes."""

    def __init__(self, answer: bytes, drip_s: float) -> None:
        self.visits = 0
        self.port = 0
        self._answer, self._drip_s = answer, drip_s
        self._talking: set[asyncio.Task[None] | None] = set()

    async def visited(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits += 1
        self._talking.add(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            pieces = [self._answer] if not self._drip_s else [bytes([byte]) for byte in self._answer]
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(self._drip_s)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async def end(self) -> None:
        """Wait until every visitor has left."""
        for task in self._talking:
            if task is not None:
                await asyncio.wait({task}, timeout=10)


@contextlib.asynccontextmanager
async def server(answer: bytes = OK, drip_s: float = 0.0) -> AsyncIterator[Server]:
    made = Server(answer, drip_s)
    listening = await asyncio.start_server(made.visited, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        listening.close()
        await made.end()


async def fetched(uri: str, *prefixes: str, timeout_s: float = 5.0) -> bytes | ErrorReason:
    fetcher = ImageFetcher(prefixes, max_bytes=1_000, timeout_s=timeout_s)
    try:
        return await fetcher.fetch(uri)
    except GatepostError as error:
        return error.reason
    finally:
        await fetcher.close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """A name resolves to the next of its addresses each time, as a rebinding server would have it."""
    answers: dict[str, list[str]] = {}
    real: Callable[..., object] = socket.getaddrinfo

    def getaddrinfo(host, port, *rest, **options):
        if host not in answers:
            return real(host, port, *rest, **options)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers[host].pop(0), port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return answers


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that are connected to; the public one is served by this machine."""
    seen: list[str] = []
    real = asyncio.SelectorEventLoop.sock_connect

    async def sock_connect(self, sock, address):
        seen.append(address[0])
        return await real(self, sock, ("127.0.0.1" if address[0] == PUBLIC else address[0], address[1]))

    monkeypatch.setattr(asyncio.SelectorEventLoop, "sock_connect", sock_connect)
    return seen


async def test_what_was_looked_up_and_checked_is_what_is_connected_to(names, connections):
    async with server() as site:
        names["cdn.example"] = [PUBLIC, "127.0.0.1"]
        assert await fetched(f"http://cdn.example:{site.port}/a.png", f"http://cdn.example:{site.port}/") == b"png"
    assert connections == [PUBLIC]
    assert names["cdn.example"] == ["127.0.0.1"]  # it was asked for once


async def test_a_name_that_turns_private_between_two_fetches_is_refused_the_second_time(names, connections):
    async with server() as site:
        prefix = f"http://cdn.example:{site.port}/"
        names["cdn.example"] = [PUBLIC, "127.0.0.1"]
        assert [await fetched(f"{prefix}a.png", prefix) for _ in range(2)] == [
            b"png",
            ErrorReason.IMAGE_URI_UNREACHABLE,
        ]
        assert site.visits == 1


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "127.0.0.1.", "0"])
async def test_another_spelling_of_this_machine_is_neither_allowed_nor_reached(host):
    async with server() as site:
        uri = f"http://{host}:{site.port}/a.png"
        assert (
            await fetched(uri, "http://cdn.example/", f"http://localhost:{site.port}/")
            is ErrorReason.IMAGE_URI_NOT_ALLOWED
        )
        # Not even where the operator was talked into it.
        assert await fetched(uri, f"http://{host}:{site.port}/") is ErrorReason.IMAGE_URI_UNREACHABLE
        assert site.visits == 0


@pytest.mark.parametrize(
    "uri",
    [
        "http://[::ffff:127.0.0.1]:{port}/a.png",
        "http://[::1]:{port}/a.png",
        "http://0.0.0.0:{port}/a.png",
        "http://localhost:{port}/a.png",
        "http://cdn.example@127.0.0.1:{port}/a.png",
        "http://cdn.example:80@127.0.0.1:{port}/a.png",
        "http://127.0.0.1:{port}\\@cdn.example/a.png",
        "http://127.0.0.1:{port}/?http://cdn.example/a.png",
        "http://cdn.example.127.0.0.1.nip.io:{port}/a.png",
        "http://①②⑦.0.0.1:{port}/a.png",
        "HTTP://127.0.0.1:{port}/a.png",
        "ht\ttp://127.0.0.1:{port}/a.png",
        "http://127.0.0.1:{port}/a.png\r\nHost: cdn.example",
        "http:127.0.0.1:{port}/a.png",
        "//127.0.0.1:{port}/a.png",
        "gopher://127.0.0.1:{port}/_GET",
        "http://cdn.example/" + "a" * 5_000,
    ],
)
async def test_no_trick_of_writing_gets_past_the_allow_list(uri):
    async with server() as site:
        reason = await fetched(uri.format(port=site.port), "http://cdn.example/")
        assert reason is ErrorReason.IMAGE_URI_NOT_ALLOWED
        assert site.visits == 0


@pytest.mark.parametrize(
    "path", ["%252e%252e/secret", "..;/secret", "%2e%2e;x=1/secret", "a%5c..%5csecret", "a\\..\\secret"]
)
async def test_a_path_that_another_server_might_read_as_climbing_is_refused(path):
    async with server() as site:
        uri = f"http://127.0.0.1:{site.port}/images/{path}"
        assert await fetched(uri, f"http://127.0.0.1:{site.port}/images/") is ErrorReason.IMAGE_URI_NOT_ALLOWED
        assert site.visits == 0


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_a_redirect_to_a_private_address_is_not_followed(status):
    async with server(b"secret") as inside:
        moved = f"HTTP/1.1 {status}\r\nLocation: http://127.0.0.1:{inside.port}/\r\nContent-Length: 0\r\n\r\n"
        async with server(moved.encode()) as site:
            prefix = f"http://127.0.0.1:{site.port}/"
            assert await fetched(f"{prefix}a.png", prefix) is ErrorReason.IMAGE_URI_UNREACHABLE
        assert (site.visits, inside.visits) == (1, 0)


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"], ids=["head", "body"])
async def test_a_server_that_drips_is_left_after_the_time_limit(head):
    async with server(head + b"x" * 900, drip_s=0.02) as site:
        prefix = f"http://127.0.0.1:{site.port}/"
        started = time.monotonic()
        reason = await asyncio.wait_for(fetched(f"{prefix}a.png", prefix, timeout_s=0.5), 15)
        assert reason is ErrorReason.IMAGE_URI_UNREACHABLE
        assert time.monotonic() - started < 15  # of 18 that the server would take


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nx",
        b"HTTP/1.1 206 Partial Content\r\nContent-Length: 3\r\n\r\npng",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
    ],
)
async def test_an_answer_that_is_not_a_whole_file_is_unreachable(answer):
    async with server(answer) as site:
        prefix = f"http://127.0.0.1:{site.port}/"
        assert await fetched(f"{prefix}a.png", prefix) is ErrorReason.IMAGE_URI_UNREACHABLE


async def test_a_length_that_lies_low_does_not_let_more_in():
    async with server(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" + b"png" + b"x" * 10_000) as site:
        prefix = f"http://127.0.0.1:{site.port}/"
        assert await fetched(f"{prefix}a.png", prefix) in (b"png", ErrorReason.IMAGE_URI_UNREACHABLE)


async def test_a_folder_that_becomes_a_symlink_after_the_check_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    inside, outside = tmp_path / "images" / "today", tmp_path / "secrets"
    for folder in (inside, outside):
        folder.mkdir(parents=True)
        (folder / "a.png").write_bytes(folder.name.encode())
    prefix = f"file://{tmp_path}/images/"
    assert await fetched(f"{prefix}today/a.png", prefix) == b"today"
    real = os.open

    def swapped(path, flags, *rest, **options):
        if str(path).endswith("a.png") and not inside.is_symlink():
            inside.rename(tmp_path / "old")
            inside.symlink_to(outside)
        return real(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", swapped)
    assert await fetched(f"{prefix}today/a.png", prefix) is ErrorReason.IMAGE_URI_NOT_ALLOWED
    assert inside.is_symlink()


@pytest.mark.parametrize(
    "uri", ["file:a.png", "file:///{folder}/../a.png?x", "file://{folder}/a.png?x=1", "FILE://host{folder}/a.png"]
)
async def test_a_file_uri_is_one_whole_path_and_nothing_more(tmp_path: Path, uri: str, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "a.png").write_bytes(b"png")
    monkeypatch.chdir(tmp_path)
    assert await fetched(uri.format(folder=tmp_path), f"file://{tmp_path}/") is ErrorReason.IMAGE_URI_NOT_ALLOWED


@pytest.mark.parametrize("prefix", ["file:///", "file:images/", "file:///images/../", "file://host/images/"])
def test_a_prefix_that_would_open_the_whole_disk_is_refused(prefix):
    with pytest.raises(ValueError, match="image_uri_prefixes"):
        check_prefix(prefix)
