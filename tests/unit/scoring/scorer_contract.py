"""What every Scorer must do. Implementations inherit this and say how a scorer is made and told what to do."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.labels import CATEGORIES, StageName
from tests.builders import request


class ScorerContract:
    """Fixtures to provide: `scorer`, and `tell(delay_s=, error=, ready=)` -> image bytes that make it happen."""

    async def test_a_clean_image_gives_complete_evidence(self, scorer, tell):
        evidence = await scorer.score(request(image=tell()), timeout_s=5.0)
        assert evidence.fused.keys() == set(CATEGORIES)
        assert {report.stage for report in evidence.reports} == set(StageName)

    async def test_the_embedding_comes_only_when_it_is_wanted(self, scorer, tell):
        image = tell()
        assert (await scorer.score(request(image=image), timeout_s=5.0)).embedding == ()
        assert (await scorer.score(request(image=image, want_embedding=True), timeout_s=5.0)).embedding != ()

    async def test_a_slow_image_is_given_up_at_the_deadline(self, scorer, tell):
        image = tell(delay_s=5.0)
        started = asyncio.get_running_loop().time()
        with pytest.raises(GatepostError) as caught:
            await scorer.score(request(image=image), timeout_s=0.1)
        assert (caught.value.code, caught.value.reason) == (ErrorCode.DEADLINE_EXCEEDED, ErrorReason.DEADLINE)
        assert asyncio.get_running_loop().time() - started < 2.0

    @pytest.mark.parametrize("timeout_s", [0.0, -1.0])
    async def test_no_time_left_is_a_deadline_too(self, scorer, tell, timeout_s):
        with pytest.raises(GatepostError) as caught:
            await scorer.score(request(image=tell()), timeout_s=timeout_s)
        assert caught.value.reason is ErrorReason.DEADLINE

    async def test_a_stages_error_comes_back_whole(self, scorer, tell):
        error: dict[str, Any] = {
            "code": "INVALID_ARGUMENT",
            "reason": "IMAGE_TRUNCATED",
            "message": "the file ends too early",
            "field": "image",
        }
        with pytest.raises(GatepostError) as caught:
            await scorer.score(request(image=tell(error=error)), timeout_s=5.0)
        raised = caught.value
        assert (raised.code, raised.reason, raised.message, raised.field) == tuple(error.values())

    async def test_a_model_server_that_is_away_is_unavailable_and_worth_a_retry(self, scorer, tell):
        image = tell(ready=False)
        assert not await scorer.ready()
        with pytest.raises(GatepostError) as caught:
            await scorer.score(request(image=image), timeout_s=5.0)
        assert (caught.value.code, caught.value.reason) == (
            ErrorCode.UNAVAILABLE,
            ErrorReason.MODEL_SERVER_UNAVAILABLE,
        )
        assert caught.value.retry_after_s

    async def test_a_ready_one_says_so(self, scorer, tell):
        tell()
        assert await scorer.ready()

    async def test_many_images_at_once_get_their_own_answers(self, scorer, tell):
        images = [tell() + b" " * index for index in range(8)]
        answers = await asyncio.gather(*(scorer.score(request(image=image), timeout_s=5.0) for image in images))
        assert len(answers) == 8
