"""Verdicts are kept for a while, and no image with them."""

from __future__ import annotations

import pytest

from gatepost_server.domain.decision import Verdict
from gatepost_server.policy.book import open_book
from gatepost_server.policy.evaluate import evaluate
from gatepost_server.records.store import MemoryVerdictStore
from tests.builders import evidence, request


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def verdict(name: str) -> Verdict:
    judgement = evaluate(evidence(), request(), open_book().get(""))
    return Verdict(name, "request-1", judgement, evidence(), 0.0, {"total": 1.0})


async def test_a_verdict_is_given_back_as_it_was_put(clock):
    store = MemoryVerdictStore(capacity=2, ttl_s=60.0, clock=clock)
    await store.put(verdict("verdicts/a"))
    assert await store.get("verdicts/a") == verdict("verdicts/a")
    assert await store.get("verdicts/b") is None


async def test_the_oldest_verdict_makes_room(clock):
    store = MemoryVerdictStore(capacity=2, ttl_s=60.0, clock=clock)
    for name in ("verdicts/a", "verdicts/b", "verdicts/c"):
        await store.put(verdict(name))
        clock.now += 1.0
    assert await store.get("verdicts/a") is None
    assert await store.get("verdicts/c") is not None


async def test_a_verdict_is_forgotten_after_its_time(clock):
    store = MemoryVerdictStore(capacity=2, ttl_s=60.0, clock=clock)
    await store.put(verdict("verdicts/a"))
    clock.now = 59.0
    assert await store.get("verdicts/a") is not None
    clock.now = 61.0
    assert await store.get("verdicts/a") is None
