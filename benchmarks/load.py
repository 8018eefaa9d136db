"""Callers of a served gatepost: so many at a time, each asks again as soon as it has its verdict."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gatepost_client import AsyncClient, Decision, Overloaded, Verdict

PROMPT, EXPECTED = "a greeting card", ("新年快乐",)
_ANSWER_S = 90.0
_SOI, _COMMENT = b"\xff\xd8", b"\xff\xfe"  # of JPEG: start of image, comment segment
_numbers = itertools.count()
_nonce = random.Random().randbytes(8)


@dataclass(frozen=True, slots=True)
class Answer:
    """One image's verdict. Seconds of time.perf_counter; `refusals`: how often the caller was told to come again."""

    began: float
    ended: float
    verdict: Verdict
    refusals: int

    @property
    def ms(self) -> float:
        """What the caller waited, refusals and pauses included."""
        return 1_000 * (self.ended - self.began)

    @property
    def judged(self) -> bool:
        """Whether it is a decision, and not that there was no time for one."""
        return self.verdict.decision is not Decision.HOLD


def fresh(image: bytes) -> bytes:
    """The same JPEG with a comment that no other has: no cache of the service knows it, and every pixel is the same."""
    if not image.startswith(_SOI):
        raise ValueError("not a JPEG")
    comment = _nonce + next(_numbers).to_bytes(8, "big")
    return _SOI + _COMMENT + (2 + len(comment)).to_bytes(2, "big") + comment + image[2:]


def endless(images: Sequence[bytes]) -> Iterator[bytes]:
    """The JPEGs again and again, each time as a file that is new."""
    return (fresh(image) for image in itertools.cycle(images))


def once(images: Sequence[bytes], times: int = 1) -> Iterator[bytes]:
    """The JPEGs so many times, each time as a file that is new."""
    return itertools.islice(endless(images), times * len(images))


async def load(
    address: str, images: Iterable[bytes], at_a_time: int, *, seconds: float = float("inf")
) -> Sequence[Answer]:
    """Verdicts in the order in which they came, until the images are used up or no image is begun any more.

    A caller who is refused waits as long as it is told and up to as long again, and comes back with the same image.
    """
    answers: list[Answer] = []
    pictures, chance = iter(images), random.Random(1)
    begun = time.perf_counter()
    async with AsyncClient(address, timeout=_ANSWER_S, retries=0) as client:

        async def caller() -> None:
            for image in pictures:
                answers.append(await _ask(client, image, chance))
                if time.perf_counter() - begun > seconds:
                    return

        async with asyncio.TaskGroup() as callers:
            for _ in range(at_a_time):
                callers.create_task(caller())
    return answers


async def paced(address: str, images: Iterable[bytes], a_second: float, *, seconds: float) -> Sequence[Answer]:
    """Verdicts on images that come at random (Poisson), so many a second whether or not earlier ones are judged."""
    chance, pictures, begun = random.Random(1), iter(images), time.perf_counter()
    asked: list[asyncio.Task[Answer]] = []
    async with AsyncClient(address, timeout=_ANSWER_S, retries=0) as client, asyncio.TaskGroup() as callers:
        due = 0.0
        while due < seconds:
            await asyncio.sleep(max(0.0, begun + due - time.perf_counter()))
            asked.append(callers.create_task(_ask(client, next(pictures), chance)))
            due += chance.expovariate(a_second)
    return [each.result() for each in asked]


async def _ask(client: AsyncClient, image: bytes, chance: random.Random) -> Answer:
    began = time.perf_counter()
    for refusals in itertools.count():
        try:
            verdict = await client.moderate(image, expected_text=EXPECTED, prompt=PROMPT)
        except Overloaded as error:
            await asyncio.sleep((error.retry_after or 0.5) * (1 + chance.random()))
        else:
            return Answer(began, time.perf_counter(), verdict, refusals)
    raise AssertionError("unreachable")


def rate(answers: Sequence[Answer], at_a_time: int) -> float:
    """Verdicts a second while all callers were busy: from the `at_a_time`-th verdict to the last but as many.

    Images that were held for want of time do not count.
    """
    ended = sorted(answers, key=lambda answer: answer.ended)
    first, last = min(at_a_time, len(ended) // 3), len(ended) - 1 - min(at_a_time - 1, len(ended) // 3)
    if last <= first:
        raise ValueError(f"{len(ended)} verdicts are too few for {at_a_time} callers")
    judged = sum(answer.judged for answer in ended[first + 1 : last + 1])
    return judged / (ended[last].ended - ended[first].ended)


def quantiles(answers: Sequence[Answer]) -> Mapping[str, Mapping[str, float]]:
    """p50 and p99 in ms, of the caller's wait ("client") and of every part that the verdicts name."""
    records = [{**answer.verdict.timings_ms, "client": answer.ms} for answer in answers]
    parts = sorted({part for record in records for part in record})
    return {
        part: {
            name: float(np.percentile([record.get(part, 0.0) for record in records], q))
            for name, q in (("p50", 50), ("p99", 99))
        }
        for part in parts
    }
