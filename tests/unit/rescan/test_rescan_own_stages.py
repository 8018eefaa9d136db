"""A re-scan without a server judges as a gateway does: by the policy, and by the known-bad bank."""

from __future__ import annotations

import asyncio

from gatepost_server.domain.decision import Verdict
from gatepost_server.domain.known_bad import KnownBad
from gatepost_server.domain.labels import Category, Decision
from gatepost_server.policy.book import open_book
from gatepost_server.records.backlog import store_unavailable
from gatepost_server.records.sql_bank import SqlBank
from gatepost_server.rescan.failures import Halt
from gatepost_server.rescan.own_stages import OwnStages
from gatepost_server.scoring.fake import FakeScorer
from tests.builders import request
from tests.gateways import script

WISH = script(lines=[{"text": "今晚打老虎", "scores": {}}])


async def judged(*, bank):
    judge = OwnStages(FakeScorer(), open_book(), bank)
    try:
        return await judge.judge(request(image=WISH, want_embedding=True))
    finally:
        await judge.close()


async def test_what_the_bank_knows_is_blocked_as_a_gateway_blocks_it(tmp_path):
    place = str(tmp_path / "bank.db")
    store = SqlBank.at(place)
    await store.add(KnownBad("one", Category.INSULT, 1.0, "wang", text="今晚打老虎"))
    await store.close()

    verdict = await judged(bank=SqlBank.at(place))
    assert isinstance(verdict, Verdict)
    assert verdict.judgement.decision is Decision.BLOCK
    assert [reason.source for reason in verdict.judgement.reasons] == ["bank:one"]
    assert verdict.evidence.embedding

    without = await judged(bank=None)
    assert without.judgement.decision is Decision.ALLOW


async def test_images_that_come_together_all_wait_for_the_bank_to_be_read(tmp_path):
    judge = OwnStages(FakeScorer(), open_book(), SqlBank.at(str(tmp_path / "bank.db")))
    try:
        answers = await asyncio.gather(*(judge.judge(request(image=WISH, request_id=f"r/{n}")) for n in range(8)))
    finally:
        await judge.close()
    assert all(isinstance(answer, Verdict) for answer in answers)


class Away(SqlBank):
    """A bank whose database cannot be reached."""

    async def version(self):
        raise store_unavailable()

    async def entries(self):
        raise store_unavailable()


async def test_a_bank_that_was_never_read_halts_the_job_and_makes_no_error_rows(tmp_path):
    answer = await judged(bank=Away.at(str(tmp_path / "bank.db")))
    assert answer == Halt("the known-bad bank cannot be read")
