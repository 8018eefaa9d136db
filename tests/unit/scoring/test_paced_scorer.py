"""The models' batches stay free for whoever waits."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from gatepost_server.domain.errors import ErrorReason, GatepostError
from gatepost_server.scoring.base import Priority
from gatepost_server.scoring.fake import FakeScorer
from gatepost_server.scoring.paced import PacedScorer
from tests.builders import request
from tests.unit.scoring.scorer_contract import ScorerContract

SLOW = b'{"delay_s": 30}'


@pytest.fixture
def models():
    return FakeScorer()


@pytest.fixture
def paced(models):
    return PacedScorer(models, places=2)


def begin(paced: PacedScorer, priority: Priority, image: bytes = SLOW, timeout_s: float = 60.0) -> asyncio.Future[Any]:
    return asyncio.ensure_future(paced.score(request(image=image), timeout_s=timeout_s, priority=priority))


async def end(*calls: asyncio.Future[Any]) -> None:
    for call in calls:
        call.cancel()
    await asyncio.wait(calls)


class TestPacedScorer(ScorerContract):
    @pytest.fixture(params=list(Priority))
    def scorer(self, request, models):
        class Always(PacedScorer):
            async def score(self, asked, *, timeout_s, priority=Priority.INTERACTIVE):
                return await super().score(asked, timeout_s=timeout_s, priority=request.param)

        return Always(models, places=2)

    @pytest.fixture
    def tell(self, models):
        def script(*, ready: bool = True, **script: Any) -> bytes:
            models.is_ready = ready
            return json.dumps(script).encode()

        return script


async def test_only_a_few_are_inside_for_which_nobody_waits_and_all_for_which_somebody_does(paced, models):
    calls = [begin(paced, priority) for priority in (Priority.RESCAN, Priority.NEARLINE) for _ in range(5)]
    await asyncio.sleep(0.01)
    assert models.in_flight == 2
    calls += [begin(paced, Priority.INTERACTIVE) for _ in range(5)]
    await asyncio.sleep(0.01)
    assert models.in_flight == 7
    await end(*calls)
    assert models.in_flight == 0


async def test_near_line_work_goes_before_a_re_scan_however_long_that_waits(paced, models):
    running = [begin(paced, Priority.RESCAN) for _ in range(2)]
    await asyncio.sleep(0.01)
    waiting = [begin(paced, Priority.RESCAN, b"png") for _ in range(3)]
    await asyncio.sleep(0.01)
    waiting += [begin(paced, Priority.NEARLINE, b"png") for _ in range(3)]
    await asyncio.sleep(0.01)
    models.priorities.clear()
    await end(running[0])
    await asyncio.gather(*waiting)
    assert models.priorities == [Priority.NEARLINE] * 3 + [Priority.RESCAN] * 3
    await end(running[1])


async def test_the_wait_is_part_of_the_images_own_time(paced, models):
    running = [begin(paced, Priority.RESCAN) for _ in range(2)]
    with pytest.raises(GatepostError) as caught:
        await asyncio.wait_for(begin(paced, Priority.RESCAN, timeout_s=0.05), 5.0)
    assert caught.value.reason is ErrorReason.DEADLINE
    assert len(models.priorities) == 2
    await end(*running)


async def test_whoever_leaves_gives_the_place_back_in_every_moment(paced, models):
    running = [begin(paced, Priority.RESCAN) for _ in range(2)]
    await asyncio.sleep(0.01)
    gone, handed, last = (begin(paced, Priority.RESCAN) for _ in range(3))
    await asyncio.sleep(0.01)
    await end(gone)  # while it waits
    running[0].cancel()
    while handed.done() or models.cancelled == 0:
        await asyncio.sleep(0)
    await end(handed)  # in the moment it is handed the place, or just after
    await end(running[1], last)
    inside = [begin(paced, Priority.RESCAN) for _ in range(3)]
    await asyncio.sleep(0.01)
    assert models.in_flight == 2
    await end(*inside)


async def test_an_error_gives_the_place_back(paced, models):
    models.is_ready = False
    for _ in range(5):
        with pytest.raises(GatepostError):
            await begin(paced, Priority.RESCAN, b"png")
    models.is_ready = True
    await begin(paced, Priority.RESCAN, b"png")


async def reaches(models: FakeScorer, in_flight: int) -> None:
    async with asyncio.timeout(10):
        while models.in_flight != in_flight:
            await asyncio.sleep(0.001)


async def test_while_somebody_waits_no_other_image_begins_and_then_they_go_on(paced, models):
    urgent = begin(paced, Priority.INTERACTIVE)
    await reaches(models, 1)
    others = [begin(paced, Priority.RESCAN) for _ in range(3)]
    await asyncio.sleep(0.01)
    assert models.in_flight == 1
    await end(urgent)
    await reaches(models, 2)
    await end(*others)


async def test_a_place_that_is_left_while_somebody_waits_stays_free(paced, models):
    others = [begin(paced, Priority.RESCAN) for _ in range(4)]
    await reaches(models, 2)
    urgent = begin(paced, Priority.INTERACTIVE)
    await reaches(models, 3)
    await end(others[0])
    await asyncio.sleep(0.01)
    assert models.in_flight == 2
    await end(urgent, *others[1:])


async def test_near_line_work_does_not_wait_for_urgent_images(paced, models):
    calls = [begin(paced, priority) for priority in (Priority.INTERACTIVE, Priority.NEARLINE, Priority.RESCAN)]
    await reaches(models, 2)
    await asyncio.sleep(0.01)
    assert models.priorities == [Priority.INTERACTIVE, Priority.NEARLINE]
    await end(*calls)


async def test_so_many_begin_beside_an_urgent_one_as_the_operator_says(models):
    paced = PacedScorer(models, places=4, beside=2)
    urgent = begin(paced, Priority.INTERACTIVE)
    others = [begin(paced, Priority.RESCAN) for _ in range(4)]
    await reaches(models, 3)
    await asyncio.sleep(0.01)
    assert models.in_flight == 3
    await end(urgent, *others)


async def test_a_steady_urgent_load_does_not_stop_the_others_for_good(models):
    paced = PacedScorer(models, places=1, patience_s=0.05)
    urgent = begin(paced, Priority.INTERACTIVE)
    for _ in range(3):
        await begin(paced, Priority.RESCAN, b"png", timeout_s=10.0)
    assert not urgent.done()
    assert models.priorities.count(Priority.RESCAN) == 3
    await end(urgent)
