"""gatepost check: many images through one stream, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from gatepost_client._options import DEFAULT_MAX_MESSAGE_BYTES
from gatepost_client._stream import StreamResult
from gatepost_client.annotate import annotate
from gatepost_client.cli.sources import STDIN
from gatepost_client.client import Client
from gatepost_client.errors import InvalidRequest
from gatepost_client.requests import About, Item
from gatepost_client.verdict import Verdict


def results(
    client: Client, sources: Sequence[str], about: About, *, window: int, stall_timeout: float, stdin: BinaryIO
) -> Iterator[StreamResult]:
    """The results of all sources, in order; at most `window` images are held."""
    items = (_item(source, about, stdin) for source in sources)
    return client.moderate_stream(items, ordered=True, window=window, stall_timeout=stall_timeout)


def _item(source: str, about: About, stdin: BinaryIO) -> Item:
    if source == STDIN:
        return Item(stdin.read(DEFAULT_MAX_MESSAGE_BYTES + 1), **about)
    return Item(Path(source), **about)


@dataclass(slots=True)
class Annotator:
    """Writes annotated images into a folder, each under a name of its own."""

    folder: Path
    warn: Callable[[str], None]
    _used: set[str] = field(default_factory=set)

    def write(self, source: str, item: Item, verdict: Verdict) -> None:
        """Draws `verdict` on the image of `item`; what fails is said and ends nothing."""
        try:
            image = item.image if isinstance(item.image, bytes) else Path(str(item.image)).read_bytes()
            drawn = annotate(image, verdict)
            if isinstance(drawn, InvalidRequest):
                self.warn(f"{source}: not annotated: {drawn.message}")
                return
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / self._name(source)).write_bytes(drawn)
        except OSError as problem:
            self.warn(f"{source}: not annotated: {problem}")

    def _name(self, source: str) -> str:
        stem = "stdin" if source == STDIN else Path(source).stem
        name, number = f"{stem}.annotated.png", 2
        while name in self._used:
            name, number = f"{stem}-{number}.annotated.png", number + 1
        self._used.add(name)
        return name
