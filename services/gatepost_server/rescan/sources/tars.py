"""WebDataset tars: each image is a member, and what stands beside it under the same name says what it was made for."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from gatepost_server.domain.errors import ErrorCode
from gatepost_server.rescan.failures import Failure, SourceError, SourceReason
from gatepost_server.rescan.inputs import Input
from gatepost_server.rescan.sources.known import IMAGES, known_of
from gatepost_server.rescan.stores.base import Address
from gatepost_server.rescan.stores.choose import store_of

_TEXTS = ("txt", "caption")  # the prompt
_MOST_TEXT = 1 << 20  # bytes; a longer text beside an image is none


def members(tar: Address) -> Iterator[Input]:
    """The images of one tar, by number 0. Only headers and texts are read, not the images.

    Files of one sample stand together and share their name up to the first dot, as WebDataset has it. Raises
    SourceError, CredentialsError.
    """
    with store_of(tar).open(tar.path) as stream:
        try:
            yield from _members(tar, stream)
        except tarfile.TarError as error:
            failure = Failure(ErrorCode.INVALID_ARGUMENT, SourceReason.SOURCE_UNREADABLE, f"{tar} is no tar: {error}")
            raise SourceError(failure) from error


def _members(tar: Address, stream: BinaryIO) -> Iterator[Input]:
    sample, images, known = "", list[tarfile.TarInfo](), dict[str, Any]()
    with tarfile.open(fileobj=stream, mode="r:") as archive:
        for member in archive:
            archive.members = []  # type: ignore[attr-defined] # else every header stays in memory
            if not member.isfile():
                continue
            path = PurePosixPath(member.name)
            stem, _, ending = path.name.partition(".")
            name = str(path.with_name(stem)) if stem else str(path)
            if name != sample:
                yield from _inputs(tar, images, known)
                sample, images, known = name, [], {}
            if ending.lower() in IMAGES:
                images.append(member)
            elif member.size <= _MOST_TEXT:
                known |= _told(ending.lower(), archive, member)
        yield from _inputs(tar, images, known)


def _told(ending: str, archive: tarfile.TarFile, member: tarfile.TarInfo) -> Mapping[str, Any]:
    """What a text beside an image says of it; nothing where it cannot be understood."""
    if ending not in (*_TEXTS, "json"):
        return {}
    file = archive.extractfile(member)
    text = file.read().decode("utf-8", "replace") if file is not None else ""
    if ending in _TEXTS:
        return {"prompt": text.strip()}
    try:
        fields = json.loads(text)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _inputs(tar: Address, images: list[tarfile.TarInfo], known: Mapping[str, Any]) -> Iterator[Input]:
    for image in images:
        uri = f"{tar}#{image.name}"
        told = known_of(known)
        if len(images) > 1:
            told.pop("id", None)  # the sample's, not an image's
        yield replace(Input(0, uri, uri, str(tar), image.offset_data, image.size), **told)
