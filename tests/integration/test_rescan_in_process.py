"""The stages without a server say what the stages behind Triton say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gatepost_server.cli.inprocess import MakeOwnStages
from gatepost_server.domain.decision import Verdict
from gatepost_server.domain.evidence import Evidence
from gatepost_server.rescan.failures import Failure, Halt
from gatepost_server.scoring.triton import TritonEndpoint, TritonScorer
from tests.builders import request
from tests.conftest import MODEL_REPOSITORY

pytestmark = pytest.mark.integration

CARDS = Path(__file__).parents[2] / "benchmarks" / "demo" / "cards"
NAMES = ("new_year.jpg", "new_year_replaced.jpg", "curved_insult.jpg")


@pytest.fixture(scope="module")
def own_stages():
    return MakeOwnStages({}, None, batch=1, repository=MODEL_REPOSITORY)()


@pytest.fixture
async def triton_scorer(triton):
    scorer = TritonScorer(TritonEndpoint(address=triton.grpc_address))
    yield scorer
    await scorer.close()


def without_times(evidence: Evidence) -> Evidence:
    return replace(evidence, reports=tuple(replace(each, started=0.0, ended=0.0) for each in evidence.reports))


@pytest.mark.timeout(400)
async def test_evidence_and_verdict_are_those_of_the_server(own_stages, triton_scorer):
    for name in NAMES:
        asked = request(image=(CARDS / name).read_bytes(), prompt="a card", want_embedding=True, request_id=name)
        verdict = await own_stages.judge(asked)
        assert isinstance(verdict, Verdict)
        served = await triton_scorer.score(asked, timeout_s=60.0)
        assert without_times(verdict.evidence) == without_times(served)


async def test_a_bad_image_is_a_failure_and_an_unknown_policy_halts(own_stages):
    broken = await own_stages.judge(request(image=b"no image at all"))
    assert isinstance(broken, Failure)
    assert broken.reason == "IMAGE_FORMAT_UNSUPPORTED"
    assert isinstance(await own_stages.judge(request(image=b"x", policy="nobody-has-this")), Halt)
