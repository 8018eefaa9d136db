"""Questions to real gateways over a real socket: no image is given up for want of room or of a gateway."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gatepost_server.domain.decision import Verdict
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.labels import Decision
from gatepost_server.rescan.failures import Failure, Halt
from gatepost_server.rescan.gateways import Gateways, Way
from gatepost_server.scoring.base import Priority
from gatepost_server.scoring.fake import FakeScorer
from tests.builders import request
from tests.gateways import running_gateway, script

pytestmark = pytest.mark.integration


def question(image: bytes = b"png", **changed):
    return request(image=image, want_embedding=True, **changed)


class asking:
    """A judge over these gateways, closed at the end."""

    def __init__(self, *targets: str, **way) -> None:
        self._judge = Gateways(Way(targets, **({"answer_s": 30.0, "patience_s": 30.0} | way)))

    async def __aenter__(self) -> Gateways:
        return self._judge

    async def __aexit__(self, *_) -> None:
        await self._judge.close()


async def test_a_verdict_comes_with_all_that_the_policy_judged():
    async with running_gateway() as gateway, asking(gateway.address) as judge:
        image = script(scores={"insult": 0.95}, lines=[{"text": "滚", "scores": {"hate": 0.004}}])
        verdict = await judge.judge(question(image, prompt="a card", expected_text=("新年快乐",), locale="zh"))
        assert isinstance(verdict, Verdict)
        assert verdict.judgement.decision is Decision.BLOCK
        assert verdict.evidence.lines[0].scores["hate"] == 0.004  # what the wire leaves out of its lines
        assert verdict.evidence.embedding == pytest.approx((0.6, 0.8))
        assert verdict.judgement.asked_text.asked == ("新年快乐",)
        assert gateway.scorer.priorities == [Priority.RESCAN]


async def test_a_bad_image_fails_with_the_gateways_reason():
    error = {"code": "INVALID_ARGUMENT", "reason": "IMAGE_TRUNCATED", "message": "cut", "field": "image"}
    async with running_gateway() as gateway, asking(gateway.address) as judge:
        answer = await judge.judge(question(script(error=error)))
        assert isinstance(answer, Failure)
        assert (answer.code, answer.reason, answer.message) == ("INVALID_ARGUMENT", "IMAGE_TRUNCATED", "cut")


async def test_an_image_that_the_models_always_fail_on_fails_and_does_not_stop_the_job():
    error = {"code": "INTERNAL", "reason": "MODEL_FAILED", "message": "no"}
    async with running_gateway() as gateway, asking(gateway.address) as judge:
        answer = await judge.judge(question(script(error=error)))
        assert isinstance(answer, Failure)
        assert answer.reason == "MODEL_FAILED"
        assert isinstance(await judge.judge(question(request_id="other")), Verdict)


async def test_more_than_the_gateway_takes_slows_down_and_loses_nothing():
    small = {"max_images_in_flight": 3, "max_stream_images_in_flight": 2, "retry_after_s": 0.05}
    async with running_gateway(**small) as gateway, asking(gateway.address, in_flight=32) as judge:
        asked = [question(script(delay_s=0.02, n=n), request_id=f"r/{n}") for n in range(60)]
        verdicts = await asyncio.gather(*map(judge.judge, asked))
        assert [verdict.request_id for verdict in verdicts] == [f"r/{n}" for n in range(60)]
        assert gateway.scorer.most_in_flight <= 3


async def test_a_gateway_that_goes_away_is_replaced_by_the_other():
    async with running_gateway() as stays, running_gateway() as goes, asking(stays.address, goes.address) as judge:
        asked = [question(script(delay_s=0.05, n=n), request_id=f"r/{n}") for n in range(40)]
        judging = asyncio.gather(*map(judge.judge, asked))
        while not goes.scorer.priorities:
            await asyncio.sleep(0.01)
        goes.stop.set()
        verdicts = await judging
        assert all(isinstance(verdict, Verdict) for verdict in verdicts)


class LateScorer(FakeScorer):
    """Has time for what was held alone."""

    async def score(self, request, *, timeout_s, priority=Priority.INTERACTIVE):
        if priority is Priority.RESCAN:
            raise GatepostError(ErrorCode.DEADLINE_EXCEEDED, ErrorReason.DEADLINE, "no time")
        return await super().score(request, timeout_s=timeout_s, priority=priority)


async def test_what_a_gateway_holds_for_want_of_time_is_waited_for(tmp_path):
    backlog = str(tmp_path / "backlog.db")
    async with running_gateway(scorer=LateScorer(), backlog=backlog) as gateway, asking(gateway.address) as judge:
        verdict = await asyncio.wait_for(judge.judge(question(script(scores={"insult": 0.95}))), 60.0)
        assert isinstance(verdict, Verdict)
        assert verdict.judgement.decision is Decision.BLOCK
        assert not verdict.pending
        assert gateway.scorer.priorities == [Priority.NEARLINE]


async def test_without_any_gateway_the_job_is_halted_after_its_patience():
    async with running_gateway() as gateway:
        nobody = gateway.address
    async with asking(nobody, patience_s=0.5) as judge:
        answer = await judge.judge(question())
        assert isinstance(answer, Halt)
        assert "no gateway has answered" in answer.why


async def test_credentials_that_are_refused_halt_the_job_and_new_ones_are_read_from_the_file(tmp_path):
    token = tmp_path / "token"
    token.write_text("old\n")
    async with running_gateway(tokens=("new",)) as gateway, asking(gateway.address, token_file=token) as judge:
        answer = await judge.judge(question())
        assert isinstance(answer, Halt)
        assert "credentials" in answer.why
        token.write_text("new\n")
        assert isinstance(await judge.judge(question()), Verdict)


async def test_an_unknown_policy_halts_the_job():
    async with running_gateway() as gateway, asking(gateway.address) as judge:
        answer = await judge.judge(replace(question(), policy="nobody-has-this"))
        assert isinstance(answer, Halt)
        assert "policy" in answer.why
