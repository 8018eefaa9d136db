"""What could not be judged in time is held, judged later, and told under the same name."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest

from gatepost_server.domain.decision import ReasonCode
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.labels import Decision
from gatepost_server.moderate.limits import RequestLimits
from gatepost_server.moderate.moderator import Moderator
from gatepost_server.moderate.nearline import Nearline, NearlineLimits
from gatepost_server.moderate.once import Once
from gatepost_server.policy.book import open_book
from gatepost_server.records.backlog import BacklogLimits, store_unavailable
from gatepost_server.records.sql_backlog import SqlBacklog
from gatepost_server.records.store import MemoryVerdictStore
from gatepost_server.scoring.base import Priority
from gatepost_server.scoring.fake import FakeScorer
from tests.builders import request
from tests.gateways import script

QUICK = NearlineLimits(workers=2, attempt_s=1.0, retry_s=0.01, longest_s=0.02, attempts=3, idle_s=0.02)


class House:
    """A moderator with a backlog, and everything that a test may break."""

    def __init__(self, backlog: SqlBacklog) -> None:
        self.scorer = FakeScorer()
        self.backlog = backlog
        self.nearline = Nearline(backlog, QUICK)
        self.once = Once(window_s=60.0)
        self.moderator = Moderator(
            self.scorer,
            open_book(),
            MemoryVerdictStore(capacity_bytes=1 << 20, ttl_s=60.0),
            RequestLimits(),
            nearline=self.nearline,
            once=self.once,
        )

    async def held(self, image: bytes, **fields):
        """The HOLD of a caller without time."""
        return await self.moderator.moderate(request(image=image, **fields), timeout_s=0.001)

    @contextlib.asynccontextmanager
    async def working(self, judge=None):
        task = asyncio.create_task(self.nearline.run(judge or self.moderator.judge, self.scorer.ready))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def final(self, name: str):
        return await asyncio.wait_for(self.nearline.final(name), 5.0)


@pytest.fixture
async def house(tmp_path):
    backlog = SqlBacklog.in_file(tmp_path / "backlog.db", BacklogLimits(images=3))
    await backlog.open()
    yield House(backlog)
    await backlog.close()


def fails_with(*errors: GatepostError | Exception | None):
    """A judge that fails with each of these in turn (None: judges), then judges; and how often it was asked."""
    left, asked = list(errors), []

    def on(house: House):
        async def judge(name, request, *, timeout_s, priority):
            asked.append(name)
            error = left.pop(0) if left else None
            if error is not None:
                raise error
            return await house.moderator.judge(name, request, timeout_s=timeout_s, priority=priority)

        return judge

    return on, asked


def failure(code: ErrorCode) -> GatepostError:
    return GatepostError(code, ErrorReason.INTERNAL, "as the test says")


async def test_whoever_has_no_time_gets_a_pending_hold_with_a_name_and_what_was_not_covered(house):
    verdict = await house.held(script(delay_s=0.05), locale="zh-CN")
    judgement = verdict.judgement
    assert (judgement.decision, verdict.pending) == (Decision.HOLD, True)
    assert [reason.code for reason in judgement.reasons] == [ReasonCode.DEADLINE]
    assert not judgement.coverage.complete
    assert judgement.coverage.missing
    assert judgement.user_message
    assert judgement.user_locale.startswith("zh")
    assert (await house.moderator.verdict(verdict.name)).pending


async def test_the_work_goes_on_near_line_and_the_verdict_comes_under_the_same_name(house):
    held = await house.held(script(delay_s=0.05, scores={"insult": 0.9}))
    async with house.working():
        final = await house.final(held.name)
    assert (final.name, final.judgement.decision, final.pending) == (held.name, Decision.BLOCK, False)
    assert await house.moderator.verdict(held.name) == final
    assert house.scorer.priorities == [Priority.INTERACTIVE, Priority.NEARLINE]


async def test_a_watcher_sees_the_hold_and_then_what_came_of_it(house):
    held = await house.held(script(delay_s=0.05))

    async def watched():
        return [verdict.judgement.decision async for verdict in house.moderator.watch(held.name)]

    watching = asyncio.create_task(watched())
    async with house.working():
        assert await asyncio.wait_for(watching, 5.0) == [Decision.HOLD, Decision.ALLOW]
    assert await watched() == [Decision.ALLOW]


async def test_what_another_gateway_finished_is_seen_too(house):
    held = await house.held(script(delay_s=0.05))
    other = House(house.backlog)
    watching = asyncio.create_task(house.final(held.name))
    async with other.working():
        assert (await watching).judgement.decision is Decision.ALLOW


async def test_models_that_are_away_hold_too_and_nothing_is_tried_until_they_are_back(house):
    house.scorer.is_ready = False
    held = await house.held(script())
    assert [reason.code for reason in held.judgement.reasons] == [ReasonCode.STAGE_FAILED]
    judge, asked = fails_with()
    async with house.working(judge(house)):
        await asyncio.sleep(0.1)
        assert asked == []
        house.scorer.is_ready = True
        assert (await house.final(held.name)).judgement.decision is Decision.ALLOW


@pytest.mark.parametrize("code", [ErrorCode.INTERNAL, ErrorCode.UNAVAILABLE])
async def test_a_failed_attempt_is_tried_again(house, code):
    held = await house.held(script(delay_s=0.05))
    judge, asked = fails_with(failure(code), failure(code))
    async with house.working(judge(house)):
        assert (await house.final(held.name)).judgement.decision is Decision.ALLOW
    assert len(asked) == 3


@pytest.mark.parametrize("error", [failure(ErrorCode.INTERNAL), failure(ErrorCode.UNAVAILABLE), ValueError("bug")])
async def test_what_fails_again_and_again_stays_on_hold_for_good_and_holds_up_nobody(house, error):
    poison = await house.held(script(delay_s=0.05))
    judge, asked = fails_with(*[error] * QUICK.attempts)
    async with house.working(judge(house)):
        final = await house.final(poison.name)
        assert (final.judgement.decision, final.pending) == (Decision.HOLD, False)
        assert [reason.code for reason in final.judgement.reasons] == [ReasonCode.STAGE_FAILED]
        good = await house.held(script(delay_s=0.05), request_id="good")
        assert (await house.final(good.name)).judgement.decision is Decision.ALLOW
    assert asked.count(poison.name) == QUICK.attempts


async def test_an_image_that_took_the_gateway_with_it_each_time_is_not_tried_for_ever(house):
    poison = await house.held(script(delay_s=0.05))
    for _ in range(QUICK.attempts):
        await house.backlog.take(-1.0)  # taken, and never given back
    judge, asked = fails_with()
    async with house.working(judge(house)):
        assert (await house.final(poison.name)).judgement.decision is Decision.HOLD
    assert asked == []


@pytest.mark.parametrize(
    "error",
    [
        failure(ErrorCode.DEADLINE_EXCEEDED),
        failure(ErrorCode.RESOURCE_EXHAUSTED),
        GatepostError(ErrorCode.UNAVAILABLE, ErrorReason.TICKETS_UNAVAILABLE, "no key"),
    ],
)
async def test_want_of_room_is_never_a_reason_to_give_up(house, error):
    held = await house.held(script(delay_s=0.05))
    judge, asked = fails_with(*[error] * (3 * QUICK.attempts))
    async with house.working(judge(house)):
        assert (await house.final(held.name)).judgement.decision is Decision.ALLOW
    assert len(asked) == 3 * QUICK.attempts + 1


async def test_what_is_the_requests_own_fault_is_said_at_once_and_never_held(house):
    broken = script(error={"code": "INVALID_ARGUMENT", "reason": "IMAGE_CORRUPT"})
    with pytest.raises(GatepostError) as caught:
        await house.moderator.moderate(request(image=broken), timeout_s=1.0)
    assert caught.value.code is ErrorCode.INVALID_ARGUMENT
    assert await house.nearline.depth() == 0


async def test_a_fault_of_the_image_that_is_seen_only_later_ends_the_work(house):
    held = await house.held(script(delay_s=0.05))
    judge, asked = fails_with(failure(ErrorCode.INVALID_ARGUMENT))
    async with house.working(judge(house)):
        final = await house.final(held.name)
    assert (final.judgement.decision, final.pending, len(asked)) == (Decision.HOLD, False, 1)


async def test_a_full_backlog_refuses_and_never_stays_silent(house):
    for number in range(3):
        await house.held(script(delay_s=0.05), request_id=f"r-{number}")
    with pytest.raises(GatepostError) as caught:
        await house.held(script(delay_s=0.05), request_id="one-too-many")
    assert (caught.value.code, caught.value.reason) == (ErrorCode.RESOURCE_EXHAUSTED, ErrorReason.BACKLOG_FULL)


async def test_what_cannot_be_written_down_is_not_accepted(house, monkeypatch):
    async def broken(*_):
        raise store_unavailable()

    monkeypatch.setattr(house.backlog, "put", broken)
    with pytest.raises(GatepostError) as caught:
        await house.held(script(delay_s=0.05))
    assert caught.value.reason is ErrorReason.STORE_UNAVAILABLE


async def test_work_under_way_is_free_again_when_the_gateway_stops(house):
    held = await house.held(script(delay_s=0.5))
    async with house.working():
        while not house.scorer.in_flight:
            await asyncio.sleep(0.005)
    work = await house.backlog.take(1.0)
    assert (work.name, work.attempts) == (held.name, 1)


async def test_a_store_that_is_away_for_a_while_ends_no_worker(house, monkeypatch):
    held = await house.held(script(delay_s=0.05))
    take, failures = house.backlog.take, iter([store_unavailable()] * 6)

    async def flaky(lease_s):
        for error in failures:
            raise error
        return await take(lease_s)

    monkeypatch.setattr(house.backlog, "take", flaky)
    async with house.working():
        assert (await house.final(held.name)).judgement.decision is Decision.ALLOW


async def test_a_retry_of_a_held_request_gets_what_came_of_it_judged_once(house):
    held = await house.held(script(delay_s=0.05))
    async with house.working():
        again = await house.moderator.moderate(request(image=script(delay_s=0.05)), timeout_s=5.0)
    assert (again.name, again.judgement.decision) == (held.name, Decision.ALLOW)
    assert len(house.scorer.priorities) == 2


async def test_a_retry_that_has_no_time_either_gets_the_same_hold(house):
    held = await house.held(script(delay_s=0.05))
    assert await house.held(script(delay_s=0.05)) == held
    assert await house.nearline.depth() == 1


async def test_an_answered_request_is_answered_again_without_asking_the_models(house):
    first = await house.moderator.moderate(request(), timeout_s=1.0)
    house.scorer.is_ready = False
    assert await house.moderator.moderate(request(), timeout_s=1.0) == first
    other = await house.held(b"other bytes under the same id")
    assert other.name != first.name


async def test_a_joiner_with_less_time_gets_its_hold_in_time_and_the_first_the_same(house):
    image = script(delay_s=2.0)
    first = asyncio.create_task(house.moderator.moderate(request(image=image), timeout_s=10.0))
    await asyncio.sleep(0.02)
    started = time.monotonic()
    joined = await house.moderator.moderate(request(image=image), timeout_s=0.05)
    assert time.monotonic() - started < 1.0
    assert (joined.judgement.decision, joined.pending) == (Decision.HOLD, True)
    assert await first == joined


async def test_a_gateway_that_must_stop_holds_what_it_cannot_judge_any_more(house):
    waiting = asyncio.create_task(house.moderator.moderate(request(image=script(delay_s=5.0)), timeout_s=10.0))
    retried = await house.held(script(delay_s=3.0), request_id="retried")
    again = asyncio.create_task(
        house.moderator.moderate(request(image=script(delay_s=3.0), request_id="retried"), timeout_s=10.0)
    )
    await asyncio.sleep(0.05)
    house.moderator.hurry()
    assert (await asyncio.wait_for(waiting, 1.0)).pending
    assert await asyncio.wait_for(again, 1.0) == retried
    assert await house.nearline.depth() == 2


async def test_a_caller_who_hung_up_is_owed_nothing(house):
    call = asyncio.create_task(house.moderator.moderate(request(image=script(delay_s=5.0)), timeout_s=10.0))
    while not house.scorer.in_flight:
        await asyncio.sleep(0.005)
    call.cancel()
    await asyncio.wait({call})
    await asyncio.sleep(0.01)
    assert house.scorer.in_flight == 0
    assert await house.nearline.depth() == 0


async def test_a_held_image_stays_its_tenants_through_the_store(house):
    held = await house.held(script(delay_s=0.05), tenant="cards")
    with pytest.raises(GatepostError, match="VERDICT_UNKNOWN"):
        await house.moderator.verdict(held.name, tenant="posters")
    async with house.working():
        final = await house.final(held.name)
    assert (held.tenant, final.tenant) == ("cards", "cards")
    assert (await house.moderator.verdict(held.name, tenant="cards")).judgement == final.judgement
    with pytest.raises(GatepostError, match="VERDICT_UNKNOWN"):
        await house.moderator.verdict(held.name, tenant="posters")


async def test_the_same_question_of_another_tenant_is_another_question(house):
    ours, theirs = [await house.held(script(delay_s=0.05), tenant=tenant) for tenant in ("cards", "posters")]
    assert ours.name != theirs.name
