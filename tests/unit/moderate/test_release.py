"""ALLOW and nothing else carries a ticket, and what cannot be signed is no ALLOW."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gatepost_client.tickets import Jwks, Refusal, TicketRefused, verify
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.labels import Decision
from gatepost_server.moderate.limits import RequestLimits
from gatepost_server.moderate.moderator import Moderator
from gatepost_server.policy.book import PolicyBook, open_book
from gatepost_server.records.store import MemoryVerdictStore
from gatepost_server.scoring.base import Priority
from gatepost_server.scoring.fake import FakeScorer
from gatepost_server.tickets.folder import KeyFolder
from gatepost_server.tickets.sign import TicketSigner
from tests.builders import request
from tests.unit.policy.policy_text import policy


@pytest.fixture
def folder(tmp_path) -> KeyFolder:
    made = KeyFolder(tmp_path / "keys")
    made.init()
    return made


@pytest.fixture
def signer(folder) -> TicketSigner:
    return TicketSigner(folder)


def moderator(signer: TicketSigner | None, scorer: FakeScorer | None = None, book: PolicyBook | None = None):
    store = MemoryVerdictStore(capacity_bytes=1 << 20, ttl_s=60.0)
    return Moderator(scorer or FakeScorer(), book or open_book(), store, RequestLimits(), signer=signer)


async def test_an_allow_carries_a_ticket_for_exactly_the_bytes_that_were_sent(signer):
    asked = request(image=b"a clean card")
    verdict = await moderator(signer).moderate(asked, timeout_s=1.0)
    found = verify(asked.image, verdict.ticket, Jwks(signer.jwks()), audience="greeting-card")
    assert found.verdict == verdict.name
    assert found.policy.version == verdict.judgement.policy_version
    assert {model.name for model in found.models} == {
        model.name for report in verdict.evidence.reports for model in report.models
    }
    with pytest.raises(TicketRefused) as refused:
        verify(b"a clean cart", verdict.ticket, Jwks(signer.jwks()), audience="greeting-card")
    assert refused.value.reason is Refusal.IMAGE


@pytest.mark.parametrize(
    ("script", "decision"),
    [
        ({"scores": {"insult": 0.99}}, Decision.BLOCK),
        ({"scores": {"insult": 0.6}}, Decision.REVIEW),
        ({"without": ["clip"]}, None),
    ],
)
async def test_no_other_decision_carries_one(signer, script, decision):
    verdict = await moderator(signer).moderate(request(image=json.dumps(script).encode()), timeout_s=1.0)
    assert verdict.judgement.decision is not Decision.ALLOW
    assert decision is None or verdict.judgement.decision is decision
    assert verdict.ticket == ""


async def test_near_line_verdicts_carry_tickets_too(signer):
    verdict = await moderator(signer).judge("verdicts/held", request(), timeout_s=1.0, priority=Priority.NEARLINE)
    assert (
        verify(request().image, verdict.ticket, Jwks(signer.jwks()), audience="greeting-card").verdict
        == "verdicts/held"
    )


async def test_the_policy_says_for_whom_and_how_long(signer):
    book = PolicyBook([policy(ticket={"audience": "https://cards.example", "ttl_s": 600})], default="test")
    verdict = await moderator(signer, book=book).moderate(request(), timeout_s=1.0)
    found = verify(request().image, verdict.ticket, Jwks(signer.jwks()), audience="https://cards.example")
    assert (found.expires - found.issued).total_seconds() == 600


async def test_without_a_signer_an_allow_has_no_ticket():
    verdict = await moderator(None).moderate(request(), timeout_s=1.0)
    assert (verdict.judgement.decision, verdict.ticket) == (Decision.ALLOW, "")


async def test_what_cannot_be_signed_is_no_allow_and_leaves_no_record(signer, folder):
    (folder.folder / "ring.json").unlink()
    with pytest.raises(GatepostError) as refused:
        await moderator(signer).moderate(request(), timeout_s=1.0)
    assert (refused.value.code, refused.value.reason) == (ErrorCode.UNAVAILABLE, ErrorReason.TICKETS_UNAVAILABLE)
    block = await moderator(signer).moderate(request(image=b'{"scores": {"insult": 0.99}}'), timeout_s=1.0)
    assert block.judgement.decision is Decision.BLOCK


@pytest.mark.parametrize("signs", [True, False])
async def test_evidence_of_another_image_releases_nothing(signer, signs):
    class Mixed(FakeScorer):
        async def score(self, asked, **more):
            evidence = await super().score(asked, **more)
            return replace(evidence, image=replace(evidence.image, sha256="ab" * 32))

    with pytest.raises(GatepostError) as refused:
        await moderator(signer if signs else None, Mixed()).moderate(request(), timeout_s=1.0)
    assert refused.value.reason is ErrorReason.MODEL_OUTPUT_INVALID
