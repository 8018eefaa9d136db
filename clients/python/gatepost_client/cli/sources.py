"""What was named on the command line, as a list of files."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

STDIN = "-"
IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".gif", ".avif", ".bmp", ".dib", ".tif", ".tiff"}
)


def expand(names: Iterable[str]) -> list[str]:
    """The files that `names` stand for, each once, in order.

    A folder stands for the images in it and below it, by their suffixes; a pattern for what it matches (** crosses
    folders), where no file bears its very name; a file for itself, whatever its suffix; - for the standard input.
    What stands for nothing stays as it is, to fail when it is read: one bad name ends nothing.
    """
    return list(dict.fromkeys(source for name in names for source in (list(_expand_one(name)) or [name])))


def _expand_one(name: str) -> Iterator[str]:
    if name == STDIN:
        yield name
    elif Path(name).is_dir():
        yield from _images_below(name)
    elif glob.has_magic(name) and not os.path.lexists(name):
        matches = sorted(glob.iglob(name, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute patterns
        yield from (match for match in matches if not Path(match).is_dir())


def _images_below(folder: str) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if Path(name).suffix.lower() in IMAGE_SUFFIXES:
                yield str(Path(parent) / name)
