"""Known-bad examples on live traffic: they act when added, on every gateway, and never less because of a crash."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.known_bad import Hit, KnownBad, Likeness
from gatepost_server.domain.labels import Category, Decision
from gatepost_server.moderate.bank import Bank
from gatepost_server.moderate.limits import RequestLimits
from gatepost_server.moderate.moderator import Moderator
from gatepost_server.moderate.once import Once
from gatepost_server.policy.bank import Examples, with_hits
from gatepost_server.policy.book import open_book
from gatepost_server.policy.evaluate import evaluate
from gatepost_server.records.backlog import store_unavailable
from gatepost_server.records.sql_bank import SqlBank
from gatepost_server.records.store import MemoryVerdictStore
from gatepost_server.scoring.fake import FakeScorer
from tests.builders import evidence, line, request

CARD = open_book().get("greeting-card")
INSULT = Category.INSULT
PDQ = "cd" * 32  # of tests.builders.evidence


class Told:
    """Keeps what is told."""

    def __init__(self) -> None:
        self.hits: list[Hit] = []
        self.read: list[int | None] = []

    def bank_hits(self, hits) -> None:
        self.hits += hits

    def bank_read(self, *, entries) -> None:
        self.read.append(entries)


def known(name: str = "one", category: Category = INSULT, **what) -> KnownBad:
    return KnownBad(name, category, 1.0, "wang", **what)


def hits(entry: KnownBad, seen=None, *, sha256: str = "", now: float = 0.0):
    return Examples([entry]).hits(seen or evidence(), sha256, now)


def test_the_same_file_is_a_hit_of_its_category_and_blocked_by_the_thresholds():
    found = hits(known(sha256="12" * 32), sha256="12" * 32)
    assert found == (Hit("one", INSULT, Likeness.SAME_FILE, 1.0),)
    judgement = evaluate(with_hits(evidence(), found), request(), CARD)
    assert judgement.decision is Decision.BLOCK
    assert [(each.category, each.source) for each in judgement.reasons] == [(INSULT, "bank:one")]
    assert evaluate(evidence(), request(), CARD).decision is Decision.ALLOW


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_whoever_asked_is_told_in_their_language(locale):
    seen = with_hits(evidence(), hits(known(sha256="12" * 32), sha256="12" * 32))
    judgement = evaluate(seen, request(locale=locale), CARD)
    assert judgement.user_locale == locale
    assert judgement.user_message == CARD.document.messages[locale].block.default


def test_pictures_whose_hashes_differ_in_few_bits_are_hits():
    near = "cc" + PDQ[2:]  # one bit
    assert hits(known(pdq=near))[0].score == pytest.approx(1.0 - 1 / 256, abs=1e-6)
    assert hits(known(pdq=near, pdq_distance=0)) == ()
    assert hits(known(pdq="32" * 32)) == ()
    blurred = replace(evidence(), image=replace(evidence().image, pdq_quality=20))
    assert hits(known(pdq=near), blurred) == ()  # such a hash says nothing


def test_embeddings_are_compared_with_those_of_the_same_model_alone():
    seen = replace(evidence(), embedding=(0.6, 0.8))
    like = known(embedding=(0.8, 0.6), embedding_model="net-clip 1", cosine=0.95)
    assert [(hit.likeness, hit.score) for hit in hits(like, seen)] == [(Likeness.EMBEDDING, 0.96)]
    assert hits(replace(like, cosine=0.97), seen) == ()
    assert hits(replace(like, embedding_model="net-clip 2"), seen) == ()
    assert hits(like) == ()  # evidence without one


@pytest.mark.parametrize("drawn", ["祝你草泥馬大吉", "草 泥 马", "草.泥.马"])
def test_a_text_is_found_however_it_is_dressed(drawn):
    assert [hit.likeness for hit in hits(known(text="草泥马"), evidence(lines=[line(drawn)]))] == [Likeness.TEXT]


@pytest.mark.parametrize("drawn", ["马到成功", "草原上的马", "泥"])
def test_another_text_is_no_hit(drawn):
    assert hits(known(text="草泥马"), evidence(lines=[line(drawn)])) == ()


def test_what_expired_finds_nothing():
    entry = known(sha256="12" * 32, expires=100.0)
    assert hits(entry, sha256="12" * 32, now=99.0)
    assert not hits(entry, sha256="12" * 32, now=100.0)


def test_a_hit_never_makes_a_score_lower():
    seen = evidence({"insult": 0.99})
    near = hits(known(pdq="32" + PDQ[2:], pdq_distance=31))
    assert with_hits(seen, near).fused == seen.fused


class Away:
    """A store that can be taken away."""

    def __init__(self, store) -> None:
        self._store, self.away = store, False

    def __getattr__(self, name):
        if self.away:
            raise store_unavailable()
        return getattr(self._store, name)


@pytest.fixture
async def store(tmp_path):
    made = SqlBank.at(str(tmp_path / "bank.db"))
    yield Away(made)
    await made.close()


def moderator(bank: Bank, **more) -> Moderator:
    return Moderator(
        FakeScorer(),
        open_book(),
        MemoryVerdictStore(capacity_bytes=1 << 20, ttl_s=60.0),
        RequestLimits(image_bytes=1_000),
        bank=bank,
        **more,
    )


async def test_an_example_acts_on_every_gateway_soon_after_it_was_added(store, tmp_path):
    told = Told()
    bank = Bank(store, told, every_s=0.05)
    await bank.refresh()
    gate = moderator(bank)
    assert (await gate.moderate(request(), timeout_s=30.0)).judgement.decision is Decision.ALLOW
    following = asyncio.create_task(bank.run())
    elsewhere = SqlBank.at(str(tmp_path / "bank.db"))
    seen = (await gate.moderate(request(), timeout_s=30.0)).evidence
    await elsewhere.add(known(pdq=seen.image.pdq, pdq_distance=0))
    async with asyncio.timeout(30.0):
        while (verdict := await gate.moderate(request(), timeout_s=30.0)).judgement.decision is Decision.ALLOW:
            await asyncio.sleep(0.02)
    assert verdict.judgement.decision is Decision.BLOCK
    assert told.hits[0].likeness is Likeness.PDQ
    await elsewhere.remove("one", "li")
    async with asyncio.timeout(30.0):
        while (await gate.moderate(request(), timeout_s=30.0)).judgement.decision is Decision.BLOCK:
            await asyncio.sleep(0.02)
    following.cancel()
    await elsewhere.close()


async def test_an_earlier_allow_of_the_same_request_is_not_given_again_after_a_change(store):
    now = [0.0]
    bank = Bank(store, Told(), clock=lambda: now[0])
    await bank.refresh()
    gate = moderator(bank, once=Once(window_s=300.0))
    allowed = await gate.moderate(request(), timeout_s=30.0)
    assert (await gate.moderate(request(), timeout_s=30.0)).name == allowed.name
    await store.add(known(pdq=allowed.evidence.image.pdq))
    now[0] = time.time()
    await bank.refresh()
    assert (await gate.moderate(request(), timeout_s=30.0)).judgement.decision is Decision.BLOCK


async def test_while_the_store_is_away_the_last_good_copy_goes_on(store):
    told = Told()
    bank = Bank(store, told)
    await store.add(known(pdq=PDQ))
    await bank.refresh()
    store.away = True
    await bank.refresh()
    assert told.read == [1, None]
    seen = await bank.apply(evidence(), request())
    assert seen.fused[INSULT].source == "bank:one"


async def test_nothing_is_judged_before_the_bank_was_read_once(store):
    store.away = True
    bank = Bank(store, Told())
    await bank.refresh()
    with pytest.raises(GatepostError) as caught:
        await moderator(bank).moderate(request(), timeout_s=30.0)
    assert (caught.value.code, caught.value.reason) == (ErrorCode.UNAVAILABLE, ErrorReason.STORE_UNAVAILABLE)
    store.away = False
    await bank.refresh()
    assert (await moderator(bank).moderate(request(), timeout_s=30.0)).judgement.decision is Decision.ALLOW


async def test_the_embedding_is_asked_for_where_an_example_has_one_and_given_to_nobody_who_did_not(store):
    bank = Bank(store, Told())
    await bank.refresh()
    seen = (await moderator(bank).moderate(request(want_embedding=True), timeout_s=30.0)).evidence
    clip = next(report.models[0] for report in seen.reports if report.stage == "clip")
    await store.add(known(embedding=seen.embedding, embedding_model=f"{clip.name} {clip.version}"))
    await bank.refresh()
    verdict = await moderator(bank).moderate(request(), timeout_s=30.0)
    assert verdict.judgement.decision is Decision.BLOCK
    assert verdict.evidence.embedding == ()
