"""What every Backlog keeps. Inherit, and give it a `backlog` fixture with room for three images."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from gatepost_server.domain.decision import Coverage, Judgement, ModerationRequest, Reason, ReasonCode, Turn, Verdict
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.labels import Decision, StageName
from tests.builders import evidence, line, request

REQUEST = ModerationRequest(
    "r/1",
    b"\x89PNG\x00\xff",
    prompt="新年卡",
    expected_text=("新年快乐",),
    turns=(Turn("user", "again"),),
    turn_count=3,
    locale="zh-CN",
    policy="strict",
    labels={"app": "cards"},
    want_embedding=True,
)


def held(name: str = "verdicts/1") -> Verdict:
    """A pending HOLD."""
    judgement = Judgement(
        decision=Decision.HOLD,
        reasons=(Reason(ReasonCode.DEADLINE, Decision.HOLD),),
        coverage=Coverage(complete=False, stages=(), missing=tuple(StageName), skipped=()),
        policy="strict",
        policy_version="0" * 16,
        user_message="请稍候",
        user_locale="zh-CN",
    )
    return Verdict(name, "r/1", judgement, None, time.time(), {"total": 1.5}, pending=True)


def allowed(name: str = "verdicts/1") -> Verdict:
    """A final ALLOW with everything that evidence may hold."""
    seen = evidence({"insult": 0.25}, lines=[line("你好", insult=0.1, expected=0.9)], prompt_similarity=0.3)
    before = held(name)
    judgement = replace(before.judgement, decision=Decision.ALLOW, reasons=())
    return replace(before, judgement=judgement, evidence=seen, pending=False)


class BacklogContract:
    """As records.backlog.Backlog says."""

    async def test_nothing_is_there_at_first(self, backlog):
        assert await backlog.take(10.0) is None
        assert await backlog.find("verdicts/1") is None
        assert await backlog.depth() == 0

    async def test_work_comes_back_as_it_was_accepted(self, backlog):
        await backlog.put("verdicts/1", REQUEST, held())
        work = await backlog.take(10.0)
        assert (work.name, work.request, work.held.judgement, work.attempts) == (
            "verdicts/1",
            REQUEST,
            held().judgement,
            1,
        )
        assert work.accepted == pytest.approx(time.time(), abs=5.0)

    async def test_a_verdict_is_pending_until_it_is_finished_and_then_as_it_was_given(self, backlog):
        await backlog.put("verdicts/1", REQUEST, held())
        assert (await backlog.find("verdicts/1")).pending
        await backlog.take(10.0)
        await backlog.finish("verdicts/1", allowed())
        found = await backlog.find("verdicts/1")
        assert replace(found, created=0.0) == replace(allowed(), created=0.0)
        assert await backlog.depth() == 0
        assert await backlog.take(10.0) is None

    async def test_the_one_that_waits_longest_comes_first_and_each_is_taken_once(self, backlog):
        for number in (1, 2, 3):
            await backlog.put(f"verdicts/{number}", request(), held(f"verdicts/{number}"))
        assert [(await backlog.take(10.0)).name for _ in range(3)] == ["verdicts/1", "verdicts/2", "verdicts/3"]
        assert await backlog.take(10.0) is None
        assert await backlog.depth() == 3

    async def test_a_lease_that_ran_out_is_free_for_others(self, backlog):
        await backlog.put("verdicts/1", REQUEST, held())
        await backlog.take(-1.0)
        assert (await backlog.take(10.0)).attempts == 2

    async def test_work_that_is_given_back_waits_its_time(self, backlog):
        await backlog.put("verdicts/1", REQUEST, held())
        await backlog.take(10.0)
        await backlog.give_back("verdicts/1", 10.0, counted=True)
        assert await backlog.take(10.0) is None
        await backlog.give_back("verdicts/1", 0.0, counted=True)
        assert (await backlog.take(10.0)).attempts == 2

    async def test_an_attempt_that_does_not_count_is_as_if_it_had_not_been(self, backlog):
        await backlog.put("verdicts/1", REQUEST, held())
        for _ in range(3):
            assert (await backlog.take(10.0)).attempts == 1
            await backlog.give_back("verdicts/1", 0.0, counted=False)

    async def test_the_image_that_is_one_too_many_is_refused_with_a_time_to_retry(self, backlog):
        for number in (1, 2, 3):
            await backlog.put(f"verdicts/{number}", request(), held(f"verdicts/{number}"))
        with pytest.raises(GatepostError) as caught:
            await backlog.put("verdicts/4", request(), held("verdicts/4"))
        assert (caught.value.code, caught.value.reason) == (ErrorCode.RESOURCE_EXHAUSTED, ErrorReason.BACKLOG_FULL)
        assert caught.value.retry_after_s
        assert await backlog.find("verdicts/4") is None
        await backlog.finish("verdicts/2", allowed("verdicts/2"))
        await backlog.put("verdicts/4", request(), held("verdicts/4"))

    async def test_of_many_at_once_as_many_are_accepted_as_there_is_room_for_and_each_is_told(self, backlog):
        names = [f"verdicts/{number}" for number in range(8)]
        puts = (backlog.put(name, request(), held(name)) for name in names)
        results = await asyncio.gather(*puts, return_exceptions=True)
        accepted = [name for name, result in zip(names, results, strict=True) if result is None]
        refused = {result.reason for result in results if isinstance(result, GatepostError)}
        assert (len(accepted), refused) == (3, {ErrorReason.BACKLOG_FULL})
        assert {(await backlog.take(10.0)).name for _ in range(3)} == set(accepted)

    async def test_a_caller_who_leaves_while_it_is_written_takes_nobody_along(self, backlog):
        calls = [
            asyncio.ensure_future(backlog.put(f"verdicts/{n}", request(), held(f"verdicts/{n}"))) for n in (1, 2, 3)
        ]
        await asyncio.sleep(0)
        calls[0].cancel()
        await asyncio.wait(calls)
        assert [call.cancelled() for call in calls] == [True, False, False]
        assert (await backlog.find("verdicts/3")).pending

    async def test_the_same_name_twice_changes_nothing(self, backlog):
        await backlog.put("verdicts/1", REQUEST, held())
        await backlog.put("verdicts/1", request(), held())
        assert await backlog.depth() == 1
        assert (await backlog.take(10.0)).request == REQUEST

    async def test_a_final_verdict_stays_whatever_comes_later(self, backlog):
        await backlog.put("verdicts/1", REQUEST, held())
        await backlog.finish("verdicts/1", allowed())
        await backlog.finish("verdicts/1", held())
        await backlog.give_back("verdicts/1", 0.0, counted=True)
        assert (await backlog.find("verdicts/1")).judgement.decision is Decision.ALLOW
        await backlog.finish("verdicts/unknown", allowed())
        assert await backlog.find("verdicts/unknown") is None
