"""Fetches images: many at a time, in pieces that fit into memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from gatepost_server.domain.errors import ErrorCode
from gatepost_server.rescan.failures import CredentialsError, Failure, Halt, SourceError, SourceReason
from gatepost_server.rescan.inputs import Input
from gatepost_server.rescan.stores.base import address
from gatepost_server.rescan.stores.choose import store_of

Fetched = bytes | Failure | Halt


@dataclass(frozen=True, slots=True)
class Reading:
    """How images are fetched."""

    threads: int = 8  # fetches at a time
    most: int = 20 << 20  # bytes; a larger image is not fetched
    piece_images: int = 32
    piece_bytes: int = 4 << 20  # a piece ends once it holds as much


def fetched(inputs: Iterable[Input], reading: Reading) -> Iterator[list[tuple[Input, Fetched]]]:
    """The inputs with their bytes, or why there are none, in pieces and in order. Raises nothing."""
    piece: list[tuple[Input, Fetched]] = []
    size = 0
    waiting = iter(inputs)
    with ThreadPoolExecutor(reading.threads) as pool:
        while chunk := list(itertools.islice(waiting, reading.threads)):
            for each, content in zip(chunk, pool.map(lambda one: fetch(one, reading.most), chunk), strict=True):
                piece.append((each, content))
                size += len(content) if isinstance(content, bytes) else 0
                if len(piece) >= reading.piece_images or size >= reading.piece_bytes:
                    yield piece
                    piece, size = [], 0
    if piece:
        yield piece


def fetch(each: Input, most: int) -> Fetched:
    """The bytes of one image. Raises nothing."""
    try:
        place = address(each.file)
        content = store_of(place).read(place.path, start=each.start, length=each.length, most=most)
    except ValueError:
        return Failure(ErrorCode.INVALID_ARGUMENT, SourceReason.SOURCE_INVALID, "there is no address, or it is none")
    except SourceError as error:
        return error.failure
    except CredentialsError as error:
        return Halt(str(error))
    if not content:
        return Failure(ErrorCode.INVALID_ARGUMENT, SourceReason.IMAGE_EMPTY, "the file is empty")
    if each.length is not None and len(content) < each.length:
        return Failure(ErrorCode.UNAVAILABLE, SourceReason.SOURCE_UNREADABLE, "the file ends before the image does")
    return content
