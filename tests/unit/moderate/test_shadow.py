"""Shadow policies: told, never acted on, and never in the way."""

from __future__ import annotations

import asyncio

import pytest

from gatepost_server.domain.labels import Decision
from gatepost_server.moderate.limits import RequestLimits
from gatepost_server.moderate.moderator import Moderator
from gatepost_server.moderate.shadow import Shadows
from gatepost_server.policy.book import open_book
from gatepost_server.records.store import MemoryVerdictStore
from gatepost_server.scoring.fake import FakeScorer
from tests.builders import request
from tests.unit.policy.policy_text import policy

NOTHING_PASSES = policy(name="severe", thresholds={"insult": {"review": 0.0, "block": 0.0}})
SAME = policy(name="kind")


class Told:
    """Keeps what is told."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str, str]] = []
        self.lost: list[tuple[str, str]] = []

    def shadow(self, name, *, decided, would) -> None:
        self.said.append((name, decided.value, would.value))

    def shadow_lost(self, name, *, why) -> None:
        self.lost.append((name, why))


def moderator(shadows: Shadows) -> Moderator:
    store = MemoryVerdictStore(capacity_bytes=1 << 20, ttl_s=60.0)
    return Moderator(FakeScorer(), open_book(), store, RequestLimits(image_bytes=1_000), shadows=shadows)


async def asked(shadows: Shadows, **changed) -> Decision:
    """What somebody is answered, once the shadows have been told."""
    running = asyncio.create_task(shadows.run())
    verdict = await moderator(shadows).moderate(request(**changed), timeout_s=30.0)
    async with asyncio.timeout(30.0):
        await shadows.settled()
    running.cancel()
    return verdict.judgement.decision


async def test_what_each_would_have_said_is_told_and_the_answer_stays():
    told = Told()
    assert await asked(Shadows(lambda _: [NOTHING_PASSES, SAME], told)) is Decision.ALLOW
    assert told.said == [("severe", "ALLOW", "BLOCK"), ("kind", "ALLOW", "ALLOW")]


async def test_every_tenant_has_its_own():
    told = Told()
    shadows = Shadows(lambda tenant: [NOTHING_PASSES] if tenant == "cards" else [], told)
    assert await asked(shadows, tenant="posters") is Decision.ALLOW
    assert told.said == []
    assert await asked(shadows, tenant="cards") is Decision.ALLOW
    assert told.said == [("severe", "ALLOW", "BLOCK")]


async def test_the_policy_that_decided_is_no_shadow_of_itself():
    told = Told()
    await asked(Shadows(lambda _: [open_book().get("")], told))
    assert told.said == []


async def test_one_that_fails_touches_neither_the_verdict_nor_the_next():
    class Broken:
        name, version = "broken", "1"

    told = Told()
    assert await asked(Shadows(lambda _: [Broken(), NOTHING_PASSES], told)) is Decision.ALLOW
    assert told.lost == [("broken", "failed")]
    assert told.said == [("severe", "ALLOW", "BLOCK")]


async def test_policies_that_cannot_be_looked_up_touch_nothing():
    def raises(_tenant: str):
        raise RuntimeError

    assert await asked(Shadows(raises, Told())) is Decision.ALLOW


async def test_what_is_too_much_is_lost_and_counted():
    told = Told()
    shadows = Shadows(lambda _: [NOTHING_PASSES], told, waiting=1)
    gate = moderator(shadows)
    for number in range(3):  # nobody works them off
        verdict = await gate.moderate(request(request_id=f"r{number}"), timeout_s=30.0)
        assert verdict.judgement.decision is Decision.ALLOW
    assert told.lost == [("severe", "full")] * 2


@pytest.mark.parametrize("locale", ["en", "zh"])
async def test_a_shadow_judges_what_was_sent_and_not_what_the_other_policy_made_of_it(locale):
    told = Told()
    quoting = policy(name="quoting", asked_text={"quoted_in_prompt": True, "missing": "BLOCK"})
    await asked(Shadows(lambda _: [quoting], told), prompt='a card that says "never drawn"', locale=locale)
    assert told.said == [("quoting", "ALLOW", "BLOCK")]
