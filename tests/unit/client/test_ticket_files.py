"""What the file gate looks at is what a web server would serve under the same address."""

from __future__ import annotations

import asyncio
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost_client.tickets.files import FileGate
from tests.minting import AUDIENCE, Mint

MINT = Mint()
KIND = b"kind"
TICKET = MINT.ticket(KIND)

pieces = st.sampled_from(
    ["/", "//", ".", "..", "a", "b", "link", "images", "%2e", "%2E%2e", "%2f", "%5c", "\\", "%", "%25", "%61", "#", " "]
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each folder holds other bytes under the same names, so that a mix-up shows."""
    root = tmp_path_factory.mktemp("root")
    outside = tmp_path_factory.mktemp("outside")
    (outside / "a").write_bytes(KIND)
    for folder in (root, root / "b", root / "images"):
        folder.mkdir(exist_ok=True)
        (folder / "a").write_bytes(KIND if folder == root else str(folder).encode())
    (root / "link").symlink_to(outside)
    return root


def answer(gate: FileGate, path: str) -> int:
    """The status that the gate answers a question about `path` with."""
    said: list[int] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request"}

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            said.append(int(str(message["status"])))

    headers = [(b"x-original-uri", path.encode()), (b"gatepost-ticket", TICKET.encode())]
    asyncio.run(gate({"type": "http", "headers": headers}, receive, send))
    return said[0]


def served(path: str) -> bytes:
    """The name that nginx makes of an address: cut, decoded, slashes merged, dots resolved."""
    cut = path.partition("?")[0].partition("#")[0]
    return posixpath.normpath(re.sub(rb"/+", b"/", unquote_to_bytes(cut)))


@given(st.lists(pieces, max_size=8).map(lambda found: "/images/" + "".join(found)))
def test_nothing_is_passed_under_an_address_that_means_another_file(root: Path, path: str) -> None:
    gate = FileGate(root, keys=MINT.keys(), audience=AUDIENCE)
    if answer(gate, path) == 204:
        assert served(path) == b"/images/a"


@pytest.mark.parametrize("path", ["/images/a", "/images/%61", "/%69mages/a", "/images/a?x=/../b"])
def test_plain_addresses_are_found(root: Path, path: str) -> None:
    assert answer(FileGate(root, keys=MINT.keys(), audience=AUDIENCE), path) == 204


@pytest.mark.parametrize("path", ["", "/", "/images", "/images/", "/images/b", "/images/link/a", "/a", "images/a"])
def test_what_is_no_file_of_the_folder_is_refused(root: Path, path: str) -> None:
    assert answer(FileGate(root, keys=MINT.keys(), audience=AUDIENCE), path) == 403


def test_only_http_is_spoken(root: Path) -> None:
    gate = FileGate(root, keys=MINT.keys(), audience=AUDIENCE)
    with pytest.raises(ValueError, match="websocket"):
        asyncio.run(gate({"type": "websocket"}, None, None))


def test_it_starts_and_stops_as_servers_say(root: Path) -> None:
    events: Iterator[str] = iter(["lifespan.startup", "lifespan.shutdown"])
    said: list[object] = []

    async def receive() -> dict[str, object]:
        return {"type": next(events)}

    async def send(message: dict[str, object]) -> None:
        said.append(message["type"])

    asyncio.run(FileGate(root, keys=MINT.keys(), audience=AUDIENCE)({"type": "lifespan"}, receive, send))
    assert said == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
