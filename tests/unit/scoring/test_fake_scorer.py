"""The fake keeps the scorers' contract, and does what its images say."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from gatepost_server.domain.labels import Category, StageName
from gatepost_server.scoring.fake import FakeScorer
from tests.builders import request
from tests.unit.scoring.scorer_contract import ScorerContract


class TestFakeScorer(ScorerContract):
    @pytest.fixture
    def scorer(self):
        return FakeScorer()

    @pytest.fixture
    def tell(self, scorer):
        def script(*, ready: bool = True, **script: Any) -> bytes:
            scorer.is_ready = ready
            return json.dumps(script).encode()

        return script

    async def test_scripted_scores_and_lines_are_seen(self, scorer):
        script = {"scores": {"weapons": 0.4}, "lines": [{"text": "Fool", "scores": {"insult": 0.9}}]}
        evidence = await scorer.score(request(image=json.dumps(script).encode()), timeout_s=1.0)
        assert (evidence.fused[Category.WEAPONS].score, evidence.fused[Category.WEAPONS].source) == (0.4, "image")
        assert (evidence.fused[Category.INSULT].score, evidence.fused[Category.INSULT].source) == (0.9, "line:0")
        assert evidence.lines[0].text == "Fool"

    async def test_stages_can_stay_silent(self, scorer):
        evidence = await scorer.score(request(image=b'{"without": ["clip"]}'), timeout_s=1.0)
        assert StageName.CLIP not in {report.stage for report in evidence.reports}

    async def test_it_counts_what_was_cancelled(self, scorer):
        work = asyncio.create_task(scorer.score(request(image=b'{"delay_s": 9}'), timeout_s=10.0))
        await asyncio.sleep(0.01)
        assert scorer.in_flight == 1
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert (scorer.in_flight, scorer.cancelled) == (0, 1)
