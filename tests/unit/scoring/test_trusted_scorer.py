"""Without trust nothing comes through."""

from __future__ import annotations

import asyncio

import pytest

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.scoring.fake import FakeScorer
from gatepost_server.scoring.trusted import TrustedScorer
from tests.builders import request


@pytest.fixture
def fake():
    return FakeScorer()


@pytest.fixture
def trust():
    return {"models": True}


@pytest.fixture
def scorer(fake, trust):
    return TrustedScorer(fake, lambda: trust["models"])


async def test_with_trust_it_is_the_scorer_that_it_wraps(scorer, fake):
    assert (await scorer.score(request(), timeout_s=1.0)).image.width == 640
    assert await scorer.ready()
    fake.is_ready = False
    assert not await scorer.ready()


async def test_without_trust_no_image_reaches_the_models(scorer, fake, trust):
    trust["models"] = False
    with pytest.raises(GatepostError) as caught:
        await scorer.score(request(), timeout_s=1.0)
    assert (caught.value.code, caught.value.reason) == (ErrorCode.UNAVAILABLE, ErrorReason.MODELS_NOT_TRUSTED)
    assert caught.value.retry_after_s
    assert fake.priorities == []
    assert not await scorer.ready()


async def test_evidence_that_comes_when_trust_is_gone_is_not_used(scorer, fake, trust):
    call = asyncio.create_task(scorer.score(request(image=b'{"delay_s": 0.2}'), timeout_s=5.0))
    async with asyncio.timeout(5):
        while not fake.in_flight:
            await asyncio.sleep(0.005)
    trust["models"] = False
    with pytest.raises(GatepostError) as caught:
        await call
    assert caught.value.reason is ErrorReason.MODELS_NOT_TRUSTED
