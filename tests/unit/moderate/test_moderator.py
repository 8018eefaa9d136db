"""The use case, over a scorer without weights."""

from __future__ import annotations

import json

import pytest

from gatepost_server.domain.decision import Verdict
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.labels import Decision
from gatepost_server.moderate.limits import RequestLimits
from gatepost_server.moderate.moderator import Moderator
from gatepost_server.policy.book import open_book
from gatepost_server.policy.judge import is_quick, judge
from gatepost_server.records.store import MemoryVerdictStore
from gatepost_server.scoring.base import Priority
from gatepost_server.scoring.fake import FakeScorer
from tests.builders import request


@pytest.fixture
def scorer():
    return FakeScorer()


@pytest.fixture
def moderator(scorer):
    return Moderator(scorer, open_book(), MemoryVerdictStore(capacity_bytes=1 << 20, ttl_s=60.0), RequestLimits())


async def test_a_clean_image_is_allowed_and_its_verdict_kept(moderator):
    verdict = await moderator.moderate(request(), timeout_s=1.0)
    assert verdict.judgement.decision is Decision.ALLOW
    assert verdict.request_id == "request-1"
    assert await moderator.verdict(verdict.name) == verdict


async def test_the_requests_policy_judges(moderator):
    image = json.dumps({"scores": {"insult": 0.4}}).encode()
    assert (await moderator.moderate(request(image=image), timeout_s=1.0)).judgement.decision is Decision.ALLOW
    strict = await moderator.moderate(request(image=image, policy="strict"), timeout_s=1.0)
    assert (strict.judgement.decision, strict.judgement.policy) == (Decision.REVIEW, "strict")


async def test_no_two_verdicts_share_a_name(moderator):
    first, second = [await moderator.moderate(request(request_id=f"r-{n}"), timeout_s=1.0) for n in range(2)]
    assert first.name != second.name
    assert first.name.startswith("verdicts/")


async def test_only_its_own_tenant_finds_a_verdict(moderator):
    verdict = await moderator.moderate(request(tenant="cards"), timeout_s=1.0)
    assert await moderator.verdict(verdict.name, tenant="cards") == verdict
    for stranger in ("posters", "default", ""):
        with pytest.raises(GatepostError) as caught:
            await moderator.verdict(verdict.name, tenant=stranger)
        assert (caught.value.code, caught.value.reason) == (ErrorCode.NOT_FOUND, ErrorReason.VERDICT_UNKNOWN)
        with pytest.raises(GatepostError, match="VERDICT_UNKNOWN"):
            await anext(moderator.watch(verdict.name, tenant=stranger))


async def test_a_record_holds_no_image(moderator):
    secret = b'{"lines": []}' + b"\x20" * 100 + b"\n"
    verdict = await moderator.moderate(request(image=secret), timeout_s=1.0)
    kept = await moderator.verdict(verdict.name)
    assert isinstance(kept, Verdict)
    assert secret not in repr(kept).encode()


async def test_timings_add_up(moderator):
    verdict = await moderator.moderate(request(image=b'{"delay_s": 0.05}'), timeout_s=1.0)
    timings = verdict.timings_ms
    assert {"decode", "ocr_detect", "clip", "fusion", "queue", "gateway", "total"} <= timings.keys()
    assert timings["total"] >= 50.0
    assert timings["queue"] + timings["gateway"] + timings["decode"] == pytest.approx(timings["total"], abs=1.0)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"policy": "nope"}, ErrorReason.POLICY_UNKNOWN),
        ({"locale": "!!"}, ErrorReason.LOCALE_UNKNOWN),
        ({"image": b""}, ErrorReason.IMAGE_EMPTY),
    ],
)
async def test_a_bad_request_never_reaches_the_scorer(moderator, scorer, changed, reason):
    with pytest.raises(GatepostError) as caught:
        await moderator.moderate(request(**changed), timeout_s=1.0)
    assert caught.value.reason is reason
    assert scorer.priorities == []


async def test_a_failed_run_leaves_no_verdict_behind(scorer):
    store = MemoryVerdictStore(capacity_bytes=1 << 20, ttl_s=60.0)
    moderator = Moderator(scorer, open_book(), store, RequestLimits())
    scorer.is_ready = False
    with pytest.raises(GatepostError) as caught:
        await moderator.moderate(request(), timeout_s=1.0)
    assert caught.value.code is ErrorCode.UNAVAILABLE
    with pytest.raises(GatepostError) as caught:
        await moderator.verdict("verdicts/any")
    assert (caught.value.code, caught.value.reason) == (ErrorCode.NOT_FOUND, ErrorReason.VERDICT_UNKNOWN)


async def test_priority_is_passed_on(moderator, scorer):
    await moderator.moderate(request(), timeout_s=1.0, priority=Priority.RESCAN)
    await moderator.moderate(request(), timeout_s=1.0)
    assert scorer.priorities == [Priority.RESCAN, Priority.INTERACTIVE]


async def test_trust_that_is_lost_while_an_image_is_judged_leaves_no_allow():
    vouched = iter([False])
    store = MemoryVerdictStore(capacity_bytes=1 << 20, ttl_s=60.0)
    moderator = Moderator(FakeScorer(), open_book(), store, RequestLimits(), trusted=lambda: next(vouched))
    with pytest.raises(GatepostError) as caught:
        await moderator.moderate(request(image=b"a clean card"), timeout_s=1.0)
    assert caught.value.reason is ErrorReason.MODELS_NOT_TRUSTED


async def test_a_block_stands_without_trust():
    store = MemoryVerdictStore(capacity_bytes=1 << 20, ttl_s=60.0)
    moderator = Moderator(FakeScorer(), open_book(), store, RequestLimits(), trusted=lambda: False)
    verdict = await moderator.moderate(request(image=b'{"scores": {"insult": 0.99}}'), timeout_s=1.0)
    assert verdict.judgement.decision is Decision.BLOCK


async def test_of_an_image_judged_in_a_thread_the_verdict_is_the_same():
    long = tuple("恭喜发财，新年快乐 " * 20 + str(number) for number in range(20))
    asked = request(image=b'{"lines": [{"text": "Happy Birthday"}]}', expected_text=("Happy Birthday", *long))
    store = MemoryVerdictStore(capacity_bytes=1 << 20, ttl_s=60.0)
    moderator = Moderator(FakeScorer(), open_book(), store, RequestLimits())
    verdict = await moderator.moderate(asked, timeout_s=20.0)
    assert not is_quick(verdict.evidence, asked)
    assert judge(verdict.evidence, asked, open_book().for_request(""))[1] == verdict.judgement
