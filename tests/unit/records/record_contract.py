"""What every Record keeps. Inherit, and give it a `record` fixture with a `clock` that stands still."""

from __future__ import annotations

import asyncio
from array import array
from dataclasses import replace

import pytest

from gatepost_server.domain.answer import Ground
from gatepost_server.domain.decision import Reason, ReasonCode
from gatepost_server.domain.errors import ErrorReason, GatepostError
from gatepost_server.domain.known_bad import Likeness
from gatepost_server.domain.labels import Category, Decision
from gatepost_server.domain.review import ActKind, QueueKind
from gatepost_server.records.entry import Entry, entry_of
from gatepost_server.records.record import NewAct, PurgeCriteria, QueueFilter, QueueLoad
from tests.builders import request
from tests.unit.records.backlog_contract import allowed, held


def entry(number: int = 1, decision: Decision = Decision.REVIEW, *, score: float = 0.7, **more) -> Entry:
    """A verdict for an insult, of the tenant cards unless told."""
    verdict = allowed(f"verdicts/{number}")
    reasons = (
        (Reason(ReasonCode.SCORE, decision, Category.INSULT, score, 0.5),) if decision is not Decision.ALLOW else ()
    )
    judgement = replace(verdict.judgement, decision=decision, reasons=reasons)
    evidence = replace(verdict.evidence, embedding=(0.5, -0.25))
    verdict = replace(
        verdict,
        judgement=judgement,
        evidence=evidence,
        created=1_000.0 + number,
        ticket="secret",
        tenant=more.pop("tenant", "cards"),
    )
    asked = request(prompt="新年卡", image_sha256="ab" * 32, subject=more.pop("subject", ""))
    return entry_of(asked, verdict, keep_image=False, due_s=100.0, **more)


async def refusal(call) -> ErrorReason:
    with pytest.raises(GatepostError) as caught:
        await call
    return caught.value.reason


class RecordContract:
    """As records.record.Record says."""

    async def test_a_verdict_comes_back_as_it_was_given_but_for_its_ticket(self, record):
        await record.add([entry()])
        kept = await record.find("verdicts/1")
        assert kept.verdict.ticket == ""
        assert kept.verdict.evidence.embedding == (0.5, -0.25)
        assert kept.verdict.judgement.reasons[0].category is Category.INSULT
        assert (kept.request.prompt, kept.request.image) == ("新年卡", b"")
        assert await record.find("verdicts/2") is None

    async def test_the_same_verdict_twice_is_there_once_and_unchanged(self, record):
        await record.add([entry()])
        await record.add([entry(score=0.9), entry(2)])
        assert (await record.find("verdicts/1")).verdict.judgement.reasons[0].score == 0.7
        items, _ = await record.queue(QueueFilter(), most=10)
        assert [item.verdict for item in items] == ["verdicts/1", "verdicts/2"]

    async def test_a_hold_and_what_came_of_it_are_both_kept_and_the_final_one_is_found(self, record):
        first = entry_of(request(), held("verdicts/1"), keep_image=False)
        await record.add([first])
        assert (await record.find("verdicts/1")).verdict.pending
        await record.add([entry(1, Decision.BLOCK)])
        assert (await record.find("verdicts/1")).verdict.judgement.decision is Decision.BLOCK

    async def test_only_review_verdicts_wait_for_people_the_most_urgent_first(self, record):
        await record.add([entry(3), entry(1, Decision.BLOCK), entry(2, score=0.6), entry(4, Decision.ALLOW)])
        items, rest = await record.queue(QueueFilter(), most=10)
        assert [(item.verdict, item.due) for item in items] == [("verdicts/2", 1_102.0), ("verdicts/3", 1_103.0)]
        assert rest == ""
        graver, _ = await record.queue(QueueFilter(gravest_first=True), most=10)
        assert [item.verdict for item in graver] == ["verdicts/3", "verdicts/2"]

    @pytest.mark.parametrize("gravest_first", [False, True])
    async def test_pages_hold_every_item_once(self, record, gravest_first):
        await record.add([entry(number, score=0.5 + number / 100) for number in range(1, 8)])
        wanted, after, seen = QueueFilter(gravest_first=gravest_first), "", []
        while True:
            items, after = await record.queue(wanted, most=3, after=after)
            seen += [item.verdict for item in items]
            if not after:
                break
        assert sorted(seen) == [f"verdicts/{number}" for number in range(1, 8)]

    async def test_the_queue_is_filtered_by_tenant_and_category(self, record):
        await record.add([entry(1), entry(2, tenant="posters")])
        items, _ = await record.queue(QueueFilter(tenant="posters", category=Category.INSULT), most=10)
        assert [item.verdict for item in items] == ["verdicts/2"]
        assert await record.queue(QueueFilter(category=Category.HATE), most=10) == ([], "")

    async def test_what_waits_is_counted_by_kind_with_what_is_late_and_the_age_of_the_oldest(self, record, clock):
        assert await record.queue_load() == {}
        await record.add([entry(1), entry(2), entry(3, Decision.BLOCK)])
        await record.act("verdicts/3", NewAct(ActKind.APPEAL, "user", text="why?"))
        clock.now = 1_101.5  # after the first one is due, and before the second
        load = await record.queue_load()
        assert load[QueueKind.REVIEW] == QueueLoad(items=2, overdue=1, oldest_s=100.5)
        assert load[QueueKind.APPEAL].items == 1

    async def test_an_item_is_one_persons_until_the_lease_is_over(self, record, clock):
        await record.add([entry()])
        results = await asyncio.gather(
            *(record.claim("verdicts/1", actor, 60.0) for actor in ("ann", "bo")), return_exceptions=True
        )
        assert [type(result) for result in results].count(GatepostError) == 1
        winner = next(result for result in results if not isinstance(result, GatepostError)).claimed_by
        other = {"ann": "bo", "bo": "ann"}[winner]
        assert await refusal(record.act("verdicts/1", NewAct(ActKind.BLOCK, other))) is ErrorReason.CLAIMED_BY_OTHER
        clock.now += 61.0
        assert (await record.claim("verdicts/1", other, 60.0)).claimed_by == other
        await record.give_back("verdicts/1", other)
        assert (await record.claim("verdicts/1", winner, 60.0)).claimed_by == winner

    async def test_a_decision_closes_the_item_and_undoing_it_opens_it_again(self, record):
        await record.add([entry()])
        kept = await record.act("verdicts/1", NewAct(ActKind.ALLOW, "ann"))
        assert (kept.standing.decision, kept.standing.waits) == (Decision.ALLOW, None)
        assert await record.queue(QueueFilter(), most=10) == ([], "")
        assert await refusal(record.act("verdicts/1", NewAct(ActKind.BLOCK, "bo"))) is ErrorReason.NOTHING_TO_DECIDE
        undo = NewAct(ActKind.UNDO, "bo", undoes=kept.acts[0].id)
        assert await refusal(record.act("verdicts/1", undo)) is ErrorReason.NOT_TO_UNDO
        after = await record.act("verdicts/1", replace(undo, actor="ann"))
        assert (after.standing.decision, after.standing.waits) == (None, QueueKind.REVIEW)
        assert [item.verdict for item in (await record.queue(QueueFilter(), most=10))[0]] == ["verdicts/1"]

    async def test_where_two_must_agree_one_is_not_enough_and_discord_goes_to_somebody_with_more_say(self, record):
        await record.add([entry(1, opinions=2)])
        assert (await record.act("verdicts/1", NewAct(ActKind.BLOCK, "ann"))).standing.decision is None
        assert (await record.act("verdicts/1", NewAct(ActKind.BLOCK, "ann"))).standing.decision is None
        discord = await record.act("verdicts/1", NewAct(ActKind.ALLOW, "bo"))
        assert discord.standing.waits is QueueKind.ESCALATION
        assert await refusal(record.act("verdicts/1", NewAct(ActKind.ALLOW, "cy"))) is ErrorReason.ESCALATED
        lead = NewAct(ActKind.ALLOW, "lead", senior=True)
        assert (await record.act("verdicts/1", lead)).standing.decision is Decision.ALLOW

    async def test_an_appeal_queues_what_was_blocked_with_a_clock_of_its_own_and_once(self, record, clock):
        await record.add([entry(1, Decision.BLOCK)])
        appealed = await record.act("verdicts/1", NewAct(ActKind.APPEAL, "", text="this is my name"))
        assert appealed.standing.appeal.text == "this is my name"
        (item,), _ = await record.queue(QueueFilter(kind=QueueKind.APPEAL), most=10)
        assert (item.queued, item.due) == (clock.now, clock.now + 100.0)
        assert (await record.act("verdicts/1", NewAct(ActKind.ALLOW, "ann"))).standing.decision is Decision.ALLOW
        again = record.act("verdicts/1", NewAct(ActKind.APPEAL, "", text="again"))
        assert await refusal(again) is ErrorReason.ALREADY_APPEALED

    async def test_notes_and_corrected_categories_stay_beside_the_verdict(self, record):
        await record.add([entry()])
        await record.act("verdicts/1", NewAct(ActKind.NOTE, "ann", text="a pun"))
        kept = await record.act("verdicts/1", NewAct(ActKind.RECATEGORISE, "ann", category=Category.HATE))
        assert ([act.kind for act in kept.acts], kept.standing.category) == (
            [ActKind.NOTE, ActKind.RECATEGORISE],
            Category.HATE,
        )
        assert (await record.queue(QueueFilter(), most=1))[0][0].category is Category.HATE

    async def test_what_is_not_there_can_be_neither_claimed_nor_decided(self, record):
        assert await refusal(record.claim("verdicts/9", "ann", 1.0)) is ErrorReason.VERDICT_UNKNOWN
        assert await refusal(record.act("verdicts/9", NewAct(ActKind.NOTE, "ann"))) is ErrorReason.VERDICT_UNKNOWN

    async def test_a_purge_removes_what_it_names_with_all_that_was_done_to_it_and_leaves_the_rest(self, record):
        await record.add([entry(1, subject="u1"), entry(2, subject="u2"), entry(3, Decision.BLOCK, subject="u1")])
        await record.act("verdicts/1", NewAct(ActKind.NOTE, "ann"))
        criteria = PurgeCriteria(subject="u1")
        found = [each.name for each in await record.purgeable(criteria)]
        assert found == ["verdicts/1", "verdicts/3"]
        assert await record.purge(found, criteria, actor="op", images=0) == 2
        assert [await record.find(f"verdicts/{n}") is None for n in (1, 2, 3)] == [True, False, True]
        assert [item.verdict for item in (await record.queue(QueueFilter(), most=10))[0]] == ["verdicts/2"]

    async def test_a_verdict_is_of_the_category_that_stopped_it_whatever_else_scores_higher(self, record):
        stopped = allowed("verdicts/1")
        reasons = (
            Reason(ReasonCode.RULE, Decision.BLOCK, detail="abuse-in-place-of-the-greeting"),
            Reason(ReasonCode.SCORE, Decision.BLOCK, Category.INSULT, 0.95, 0.8),
            Reason(ReasonCode.SCORE, Decision.REVIEW, Category.OFF_SCRIPT, 1.0, 0.5),
        )
        judgement = replace(stopped.judgement, decision=Decision.BLOCK, reasons=reasons)
        await record.add([entry_of(request(), replace(stopped, judgement=judgement), keep_image=False)])
        assert [each.name for each in await record.purgeable(PurgeCriteria(category=Category.INSULT))] == ["verdicts/1"]

    async def test_a_purge_by_age_and_category_takes_what_meets_both(self, record):
        await record.add([entry(1), entry(2), entry(5)])
        both = PurgeCriteria(before=1_003.0, category=Category.INSULT)
        assert [each.name for each in await record.purgeable(both)] == ["verdicts/1", "verdicts/2"]
        assert await record.purgeable(PurgeCriteria(before=1_003.0, category=Category.HATE)) == []


def test_a_purge_of_everything_is_none():
    with pytest.raises(ValueError, match="age"):
        PurgeCriteria()

    async def test_earlier_pictures_that_are_alike_are_found_by_embedding_and_by_hash(self, record):
        own = entry(1)
        far = array("f", (-0.25, -0.5)).tobytes()
        near = replace(own, name="verdicts/2", pdq="cd" * 31 + "cc", embedding=b"", decision=Decision.BLOCK)
        alike = replace(own, name="verdicts/3", pdq="32" * 32, created=2_000.0)
        other = replace(own, name="verdicts/4", pdq="32" * 32, embedding=far)
        elsewhere = replace(own, name="verdicts/5", tenant="stickers")
        unit = array("f", (0.6, -0.8)).tobytes()
        entries = [replace(each, embedding=unit) if each in (own, alike) else each for each in (own, near, alike)]
        await record.add([*entries, other, elsewhere])
        found = await record.similar("verdicts/1", most=10)
        assert [(each.verdict, each.likeness) for each in found] == [
            ("verdicts/3", Likeness.EMBEDDING),
            ("verdicts/2", Likeness.PDQ),
        ]
        assert found[1].decision is Decision.BLOCK
        assert found[1].score == 1 - 1 / 256
        assert [each.verdict for each in await record.similar("verdicts/1", most=1)] == ["verdicts/3"]
        assert [each.verdict for each in await record.similar("verdicts/1", most=9, among=1)] == ["verdicts/3"]
        assert await record.similar("verdicts/9", most=10) == []

    async def test_the_place_of_one_verdict_in_the_queue_can_be_looked_up(self, record):
        await record.add([entry(), entry(2, Decision.BLOCK)])
        await record.claim("verdicts/1", "ana", 60.0)
        item = await record.waiting("verdicts/1")
        assert (item.kind, item.claimed_by) == (QueueKind.REVIEW, "ana")
        assert await record.waiting("verdicts/2") is None
        await record.act("verdicts/1", NewAct(ActKind.ALLOW, "ana"))
        assert await record.waiting("verdicts/1") is None

    async def test_the_last_act_of_each_verdict_is_told_for_those_that_have_one(self, record):
        await record.add([entry(1), entry(2)])
        assert await record.last_acts(["verdicts/1", "verdicts/2", "verdicts/3"]) == {}
        await record.act("verdicts/1", NewAct(ActKind.NOTE, "li", text="hm"))
        kept = await record.act("verdicts/1", NewAct(ActKind.ALLOW, "li"))
        assert await record.last_acts(["verdicts/1", "verdicts/2"]) == {"verdicts/1": kept.acts[-1].id}
        assert await record.last_acts([]) == {}

    async def test_an_appeal_keeps_its_own_clock_and_a_block_its_ground(self, record, clock):
        await record.add([entry(1, Decision.BLOCK)])
        await record.act("verdicts/1", NewAct(ActKind.APPEAL, "", text="why?", due_s=7.0))
        asked = clock()
        (item,), _ = await record.queue(QueueFilter(), most=5)
        assert item.due == asked + 7.0
        kept = await record.act("verdicts/1", NewAct(ActKind.BLOCK, "li", ground=Ground.PICTURE))
        assert kept.acts[-1].ground is Ground.PICTURE
        await record.act("verdicts/1", NewAct(ActKind.UNDO, "li", undoes=kept.acts[-1].id))
        (item,), _ = await record.queue(QueueFilter(), most=5)
        assert (item.kind, item.due) == (QueueKind.APPEAL, asked + 7.0)
        found = await record.find("verdicts/1")
        assert (found.standing.appeal.due_s, found.acts[1].ground) == (7.0, Ground.PICTURE)

    async def test_a_purge_may_be_of_one_policy(self, record):
        await record.add([entry(1), entry(2)])
        policy = (await record.find("verdicts/1")).verdict.judgement.policy
        for name, found in ((policy, 2), ("another", 0)):
            assert len(await record.purgeable(PurgeCriteria(before=1e12, policy=name))) == found
