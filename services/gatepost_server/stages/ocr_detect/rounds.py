"""Searches of several images share the net: each says what it wants to look at next, looks of one size go together.

A search's looks depend on one another and cannot be batched; but what one image needs now, others need too.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from gatepost_server.engines.net import Net, Size, sized
from gatepost_server.stages.ocr_detect.crops import Floats, Pixels

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Look:
    """One picture for the net (H, W, 3 BGR), and the size that it is to be seen at; None: its own."""

    image: Pixels
    size: Size | None = None

    def pixels(self) -> Pixels:
        """The picture at its size."""
        shown: Pixels = sized(self.image[None], self.size)[0]
        return shown


Search = Generator[Look, Floats, T]
"""Yields looks, is sent the map (H, W) of each, and returns what it found."""


def together(net: Net, searches: Sequence[Search[T]]) -> list[T]:
    """What each search finds, in order. Raises what a search or the net raises.

    While the net sees one batch, the searches whose maps are there go on, so that contours are followed beside the
    next forward pass. A net that gains nothing by batches is asked for one image after another.
    """
    if net.batch == 1:
        return [_alone(net, search) for search in searches]
    found: dict[int, T] = {}
    waiting: dict[int, Look] = {}

    def go_on(place: int, answer: Floats | None) -> None:
        try:
            waiting[place] = next(searches[place]) if answer is None else searches[place].send(answer)
        except StopIteration as end:
            found[place] = end.value

    for place in range(len(searches)):  # all first looks, which go together
        go_on(place, None)
    ready: deque[tuple[int, Floats]] = deque()
    places: Sequence[int] = ()
    running: Future[Floats] | None = None
    with ThreadPoolExecutor(1, thread_name_prefix="detector") as beside:
        while ready or waiting:
            if running is None and waiting:
                places = _largest(waiting)[: net.batch]
                running = beside.submit(_maps, net, [waiting.pop(place) for place in places])
            if ready:
                go_on(*ready.popleft())
            if running is not None and (running.done() or not ready):
                ready.extend(zip(places, running.result(), strict=True))
                running = None
    return [found[place] for place in range(len(searches))]


def _alone(net: Net, search: Search[T]) -> T:
    try:
        look = next(search)
        while True:
            look = search.send(_maps(net, [look])[0])
    except StopIteration as end:
        found: T = end.value
        return found


def _largest(waiting: Mapping[int, Look]) -> Sequence[int]:
    """Places of the looks of one size of which most are waiting; of as many, those that came first."""
    groups: dict[tuple[tuple[int, ...], Size | None], list[int]] = defaultdict(list)
    for place, look in waiting.items():
        groups[look.image.shape, look.size].append(place)
    return max(groups.values(), key=len)


def _maps(net: Net, looks: Sequence[Look]) -> Floats:
    """Maps (N, H, W) of looks of one size."""
    images = looks[0].image[None] if len(looks) == 1 else np.stack([look.image for look in looks])
    (maps,) = net.run(images, looks[0].size)
    return np.asarray(maps[:, 0], dtype=np.float32)
