"""Images by their addresses: a folder, a prefix of an object store, a glob, one file; tars among them are opened."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from gatepost_server.rescan.filters import Filters
from gatepost_server.rescan.inputs import Input
from gatepost_server.rescan.sources.known import IMAGES
from gatepost_server.rescan.sources.tars import members
from gatepost_server.rescan.stores.base import Address, Found
from gatepost_server.rescan.stores.choose import store_of

_GLOB = re.compile(r"[*?\[]")


def is_pattern(source: Address) -> bool:
    """Whether it is a glob. A file of this machine may bear a name that looks like one."""
    return _GLOB.search(source.path) is not None and (bool(source.root) or not Path(source.path).exists())


def files(source: Address, filters: Filters) -> Iterator[Input]:
    """The images below `source`, or those that match it.

    Below a folder: files whose names end as images' do or have no ending at all. A glob takes whatever matches; `*`
    stays within a folder and `**` does not. Raises SourceError, CredentialsError.
    """
    store = store_of(source)
    wanted = _pattern(source.path) if is_pattern(source) else None
    prefix = source.path if wanted is None else _fixed(source.path)
    for found in store.walk(prefix):
        if not filters.recent(found.modified):
            continue
        place = Address(source.root, found.path)
        if wanted is not None and not wanted.fullmatch(found.path):
            continue
        if found.path.endswith(".tar"):
            yield from members(place)
        elif wanted is not None or found.path == source.path or _is_image(found):
            yield Input(0, str(place), str(place), str(place))


def _is_image(found: Found) -> bool:
    ending = PurePosixPath(found.path).suffix
    return not ending or ending[1:].lower() in IMAGES


def _fixed(path: str) -> str:
    """The folder before the first part that is a pattern."""
    whole = path[: _GLOB.search(path).start()]  # type: ignore[union-attr] # is_pattern said so
    return whole[: whole.rfind("/") + 1]


def _pattern(path: str) -> re.Pattern[str]:
    parts = []
    for piece in re.split(r"(\*\*/?|\*|\?|\[[^\]/]+\])", path):
        if piece in ("**", "**/"):
            parts.append(".*")
        elif piece == "*":
            parts.append("[^/]*")
        elif piece == "?":
            parts.append("[^/]")
        elif piece.startswith("[") and piece.endswith("]"):
            parts.append(fnmatch.translate(piece).removeprefix("(?s:").removesuffix(")\\Z"))
        else:
            parts.append(re.escape(piece))
    return re.compile("".join(parts), re.DOTALL)
