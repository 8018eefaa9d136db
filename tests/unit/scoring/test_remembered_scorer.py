"""The same question is put to the models once, and nothing that may be wrong is given twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gatepost_server.domain.errors import ErrorReason, GatepostError
from gatepost_server.domain.evidence import Evidence, Fused, Skipped, approximate_bytes
from gatepost_server.domain.labels import Category
from gatepost_server.moderate.once import digested
from gatepost_server.scoring.base import Priority
from gatepost_server.scoring.fake import FakeScorer
from gatepost_server.scoring.remembered import Lookup, RememberedScorer
from tests.builders import request
from tests.unit.scoring.scorer_contract import ScorerContract

CLEAN = b"a clean card"


class Models(FakeScorer):
    """Models that a test can hold up, and make say something else."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.says: Callable[[Evidence], Evidence] = lambda seen: seen

    async def score(self, asked, *, timeout_s, priority=Priority.INTERACTIVE):
        seen = await super().score(asked, timeout_s=timeout_s, priority=priority)
        await self.go_on.wait()
        return self.says(seen)


@pytest.fixture
def models():
    return Models()


@pytest.fixture
def told():
    return []


@pytest.fixture
def now():
    return [1_000.0]


@pytest.fixture
def remembered(models, told, now):
    return RememberedScorer(models, capacity_bytes=1 << 20, keep_s=60.0, told=told.append, clock=lambda: now[0])


def asked(**changed: Any):
    return digested(request(**({"image": CLEAN} | changed)))


def begin(scorer: RememberedScorer, priority: Priority = Priority.INTERACTIVE, timeout_s: float = 20.0, **changed: Any):
    return asyncio.ensure_future(scorer.score(asked(**changed), timeout_s=timeout_s, priority=priority))


async def inside(models: FakeScorer, images: int) -> None:
    async with asyncio.timeout(10):
        while len(models.priorities) < images:
            await asyncio.sleep(0)


async def settled() -> None:
    """Everything that was begun has gone as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


class TestRememberedScorer(ScorerContract):
    @pytest.fixture
    def scorer(self, remembered):
        class Digested(RememberedScorer):
            async def score(self, asked, *, timeout_s, priority=Priority.INTERACTIVE):
                return await remembered.score(digested(asked), timeout_s=timeout_s, priority=priority)

            async def ready(self):
                return await remembered.ready()

        return Digested(remembered, capacity_bytes=1, keep_s=1.0)

    @pytest.fixture
    def tell(self, models):
        def script(*, ready: bool = True, **script: Any) -> bytes:
            models.is_ready = ready
            return json.dumps(script).encode()

        return script


async def test_the_same_image_is_looked_at_once(remembered, models, told):
    first = await remembered.score(asked(), timeout_s=5.0)
    again = await remembered.score(asked(request_id="another"), timeout_s=5.0, priority=Priority.RESCAN)
    assert len(models.priorities) == 1
    assert told == [Lookup.MISS, Lookup.HIT]
    assert replace(again, reports=first.reports) == first
    assert all(report.ended == report.started for report in again.reports)  # no stage worked for this request
    assert [report.looked_at for report in again.reports] == [report.looked_at for report in first.reports]


@pytest.mark.parametrize(
    "changed", [{"locale": "zh"}, {"policy": "strict"}, {"labels": {"app": "x"}}, {"turn_count": 9}]
)
async def test_what_only_the_policy_looks_at_does_not_matter(remembered, models, changed):
    await remembered.score(asked(), timeout_s=5.0)
    await remembered.score(asked(**changed), timeout_s=5.0)
    assert len(models.priorities) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"image": b"another card"},
        {"prompt": "a card"},
        {"expected_text": ("恭喜",)},
        {"want_embedding": True},
        {"tenant": "somebody else"},
    ],
)
async def test_another_question_is_looked_at_anew(remembered, models, changed):
    await remembered.score(asked(), timeout_s=5.0)
    await remembered.score(asked(**changed), timeout_s=5.0)
    assert len(models.priorities) == 2


async def test_a_request_without_a_digest_is_always_looked_at(remembered, models):
    for _ in range(2):
        await remembered.score(request(image=CLEAN), timeout_s=5.0)
    assert len(models.priorities) == 2


async def test_evidence_is_kept_for_a_while_only(remembered, models, now):
    await remembered.score(asked(), timeout_s=5.0)
    now[0] += 59.0
    await remembered.score(asked(), timeout_s=5.0)
    now[0] += 2.0
    await remembered.score(asked(), timeout_s=5.0)
    assert len(models.priorities) == 2


async def test_memory_is_bounded(models):
    size = approximate_bytes(await models.score(asked(), timeout_s=5.0))
    remembered = RememberedScorer(models, capacity_bytes=3 * size, keep_s=60.0)
    for number in (1, 2, 3, 4):
        await remembered.score(asked(image=b"%d" % number), timeout_s=5.0)
    looked_at = len(models.priorities)
    await remembered.score(asked(image=b"4"), timeout_s=5.0)
    assert len(models.priorities) == looked_at
    await remembered.score(asked(image=b"1"), timeout_s=5.0)  # the oldest made room
    assert len(models.priorities) == looked_at + 1


async def test_evidence_larger_than_the_memory_is_given_and_not_kept(models):
    remembered = RememberedScorer(models, capacity_bytes=10, keep_s=60.0)
    for _ in range(2):
        assert (await remembered.score(asked(), timeout_s=5.0)).image.width == 640
    assert len(models.priorities) == 2


def without_a_stage(seen: Evidence) -> Evidence:
    return replace(seen, reports=seen.reports[:-1])


def with_something_left_out(seen: Evidence) -> Evidence:
    late = replace(seen.reports[0], skipped=(Skipped("frame 9", "late"),))
    return replace(seen, reports=(late, *seen.reports[1:]))


def without_a_number(seen: Evidence) -> Evidence:
    return replace(seen, fused={**seen.fused, Category.HATE: Fused(float("nan"), "image")})


@pytest.mark.parametrize("lacking", [without_a_stage, with_something_left_out, without_a_number])
async def test_incomplete_evidence_is_not_kept(remembered, models, lacking):
    models.says = lacking
    for _ in range(2):
        await remembered.score(asked(), timeout_s=5.0)
    assert len(models.priorities) == 2


async def test_a_failure_is_not_kept(remembered, models):
    models.is_ready = False
    with pytest.raises(GatepostError):
        await remembered.score(asked(), timeout_s=5.0)
    models.is_ready = True
    assert (await remembered.score(asked(), timeout_s=5.0)).image.width == 640


async def test_the_same_image_at_the_same_time_waits_for_the_first(remembered, models, told):
    models.go_on.clear()
    calls = [begin(remembered, request_id=f"request-{number}") for number in range(5)]
    await inside(models, 1)
    await settled()
    models.go_on.set()
    seen = await asyncio.gather(*calls)
    assert len(models.priorities) == 1
    assert all(each == seen[0] for each in seen)
    assert sorted(told) == sorted([Lookup.MISS, *[Lookup.JOINED] * 4])


async def test_who_waits_for_the_first_keeps_an_own_deadline(remembered, models):
    models.go_on.clear()
    first = begin(remembered)
    await inside(models, 1)
    with pytest.raises(GatepostError) as caught:
        await remembered.score(asked(), timeout_s=0.05)
    assert caught.value.reason is ErrorReason.DEADLINE
    models.go_on.set()
    assert (await first).image.width == 640


async def test_an_urgent_image_does_not_wait_for_one_that_is_not(remembered, models):
    models.go_on.clear()
    calls = [begin(remembered, Priority.RESCAN), begin(remembered, Priority.INTERACTIVE)]
    await inside(models, 2)
    models.go_on.set()
    await asyncio.gather(*calls)
    assert models.priorities == [Priority.RESCAN, Priority.INTERACTIVE]


async def test_the_first_ones_failure_is_its_own(remembered, models):
    models.go_on.clear()
    calls = [begin(remembered), begin(remembered), begin(remembered)]
    await inside(models, 1)
    await settled()
    calls[0].cancel()
    await inside(models, 2)
    models.go_on.set()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert [result.image.width for result in results[1:]] == [640, 640]
    assert len(models.priorities) == 2  # one of the two looked, and the other waited for it


async def test_what_was_forgotten_is_looked_at_anew(remembered, models):
    await remembered.score(asked(), timeout_s=5.0)
    remembered.forget()
    await remembered.score(asked(), timeout_s=5.0)
    assert len(models.priorities) == 2


async def test_evidence_that_was_on_its_way_when_all_was_forgotten_is_neither_kept_nor_shared(remembered, models):
    models.go_on.clear()
    before = [begin(remembered), begin(remembered)]
    await inside(models, 1)
    await settled()
    remembered.forget()
    after = begin(remembered)
    await inside(models, 2)
    models.go_on.set()
    await asyncio.gather(*before, after)
    assert len(models.priorities) == 2  # who had joined the first joined the one after it
    await remembered.score(asked(), timeout_s=5.0)
    assert len(models.priorities) == 2  # and that one's evidence is kept
