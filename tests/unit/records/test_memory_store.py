"""Verdicts are kept for a while, and no image with them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gatepost_server.domain.decision import Verdict
from gatepost_server.domain.evidence import TextLine
from gatepost_server.policy.book import open_book
from gatepost_server.policy.evaluate import evaluate
from gatepost_server.records.store import MemoryVerdictStore
from tests.builders import evidence, line, request


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def verdict(name: str, lines: Sequence[TextLine] = ()) -> Verdict:
    seen = evidence(lines=lines)
    return Verdict(name, "request-1", evaluate(seen, request(), open_book().get("")), seen, 0.0, {"total": 1.0})


async def test_a_verdict_is_given_back_as_it_was_put(clock):
    store = MemoryVerdictStore(capacity_bytes=20_000, ttl_s=60.0, clock=clock)
    await store.put(verdict("verdicts/a"))
    assert await store.get("verdicts/a") == verdict("verdicts/a")
    assert await store.get("verdicts/b") is None


async def test_the_oldest_verdict_makes_room(clock):
    store = MemoryVerdictStore(capacity_bytes=20_000, ttl_s=60.0, clock=clock)
    for name in ("verdicts/a", "verdicts/b", "verdicts/c"):
        await store.put(verdict(name))
        clock.now += 1.0
    assert await store.get("verdicts/a") is None
    assert await store.get("verdicts/c") is not None


async def test_a_verdict_that_no_room_could_hold_pushes_nobody_out(clock):
    store = MemoryVerdictStore(capacity_bytes=20_000, ttl_s=60.0, clock=clock)
    await store.put(verdict("verdicts/small"))
    await store.put(verdict("verdicts/huge", lines=[line("text")] * 1_000))
    assert await store.get("verdicts/huge") is None
    assert await store.get("verdicts/small") is not None


async def test_a_verdict_is_forgotten_after_its_time(clock):
    store = MemoryVerdictStore(capacity_bytes=20_000, ttl_s=60.0, clock=clock)
    await store.put(verdict("verdicts/a"))
    clock.now = 59.0
    assert await store.get("verdicts/a") is not None
    clock.now = 61.0
    assert await store.get("verdicts/a") is None
