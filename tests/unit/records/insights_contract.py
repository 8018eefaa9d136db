"""What every Insights tells. Inherit, and give it `insights` and a `record` of one database, with a `clock`."""

from __future__ import annotations

from dataclasses import replace

from gatepost_server.domain.decision import ReasonCode
from gatepost_server.domain.labels import Category, Decision
from gatepost_server.domain.review import ActKind
from gatepost_server.records.entry import entry_of
from gatepost_server.records.insights import Scope, Waiting
from gatepost_server.records.record import NewAct
from tests.builders import evidence, line, request
from tests.unit.records.backlog_contract import allowed, held
from tests.unit.records.record_contract import entry

EVER = Scope(0.0, 5_000.0)


def seen_entry(number, *, created, matches=(), **scores):
    """An ALLOW that rests on these scores, of one line with these entries of the lexicon."""
    lines = [replace(line("你好"), matches=tuple(matches))]
    return entry_of(
        request(prompt="新年卡"),
        replace(allowed(f"verdicts/{number}"), created=created, evidence=evidence(scores, lines=lines)),
        keep_image=False,
    )


class InsightsContract:
    """As records.insights.Insights says."""

    async def test_decisions_are_counted_between_edges_the_upper_one_left_out(self, record, insights):
        await record.add([entry(1), entry(2, Decision.BLOCK), entry(3, Decision.BLOCK), entry(4, Decision.ALLOW)])
        assert await insights.counts(EVER, [1_001.0, 1_003.0, 1_004.0, 2_000.0, 3_000.0]) == [
            {Decision.REVIEW: 1, Decision.BLOCK: 1},
            {Decision.BLOCK: 1},
            {Decision.ALLOW: 1},
            {},
        ]

    async def test_a_scope_leaves_out_other_times_tenants_and_policies(self, record, insights):
        await record.add([entry(1), entry(2, tenant="posters"), entry(3)])
        edges = [0.0, 5_000.0]
        assert await insights.counts(replace(EVER, tenant="posters"), edges) == [{Decision.REVIEW: 1}]
        assert await insights.counts(replace(EVER, policy="lenient"), edges) == [{}]
        assert await insights.counts(replace(EVER, policy="strict"), edges) == [{Decision.REVIEW: 3}]
        assert await insights.counts(Scope(1_002.0, 1_003.0), edges) == [{Decision.REVIEW: 1}]
        assert await insights.tenants(replace(EVER, tenant="cards")) == ["cards", "posters"]

    async def test_of_a_hold_that_was_judged_later_only_what_came_of_it_counts(self, record, insights):
        waiting = [replace(held(f"verdicts/{number}"), created=1_000.0) for number in (1, 2)]
        await record.add([entry_of(request(), verdict, keep_image=False) for verdict in waiting])
        await record.add([entry(1, Decision.BLOCK)])
        assert await insights.counts(EVER, [0.0, 5_000.0]) == [{Decision.BLOCK: 1, Decision.HOLD: 1}]

    async def test_a_sample_tells_scores_and_the_lexicons_entries_each_once(self, record, insights):
        await record.add(
            [
                seen_entry(1, created=1_000.0, insult=0.25, matches=("insult:fool", "insult:fool", "spam:offer")),
                seen_entry(2, created=2_000.0, spam=float("nan")),
                entry_of(request(), replace(held("verdicts/3"), created=1_500.0, pending=False), keep_image=False),
            ]
        )
        first, second = await insights.sample(EVER, [1_000.0, 2_000.0, 3_000.0], most=5)
        assert [(each.name, each.decision) for each in first] == [
            ("verdicts/1", Decision.ALLOW),
            ("verdicts/3", Decision.HOLD),
        ]
        assert first[0].scores[Category.INSULT] == 0.25
        assert first[0].matches == {"insult:fool", "spam:offer"}
        assert (first[1].scores, first[1].matches) == ({}, frozenset())
        assert Category.SPAM not in second[0].scores
        assert Category.INSULT in second[0].scores

    async def test_a_sample_is_no_larger_than_asked_for_and_the_same_each_time(self, record, insights):
        await record.add([entry(number) for number in range(1, 8)])
        (first,), (again,) = [await insights.sample(EVER, [0.0, 5_000.0], most=3) for _ in range(2)]
        assert len(first) == 3
        assert first == again

    async def test_what_people_did_comes_with_what_stands_the_newest_first(self, record, insights):
        await record.add([entry(1), entry(2, Decision.BLOCK), entry(3)])
        await record.act("verdicts/1", NewAct(ActKind.RECATEGORISE, "ann", category=Category.HATE))
        await record.act("verdicts/1", NewAct(ActKind.BLOCK, "ann"))
        await record.act("verdicts/2", NewAct(ActKind.APPEAL, "", text="why?"))
        appealed, blocked = await insights.handled(EVER, most=10)
        assert (appealed.seen.name, appealed.standing.decision, appealed.category) == (
            "verdicts/2",
            None,
            Category.INSULT,
        )
        assert [act.kind for act in blocked.acts] == [ActKind.RECATEGORISE, ActKind.BLOCK]
        assert (blocked.standing.decision, blocked.standing.category) == (Decision.BLOCK, Category.HATE)
        assert len(await insights.handled(EVER, most=1)) == 1

    async def test_what_is_stored_can_be_judged_again(self, record, insights):
        await record.add([entry(1), entry(2)])
        first, second = await insights.stored(EVER, most=10)
        assert first.verdict.judgement.reasons[0].code is ReasonCode.SCORE
        assert first.verdict.evidence.lines[0].text == "你好"
        assert (second.request.prompt, second.request.image) == ("新年卡", b"")
        (alone,) = await insights.stored(EVER, most=1)
        (next_one,) = await insights.stored(EVER, most=5, after=alone.verdict.name)
        assert (alone, next_one) == (first, second)

    async def test_what_waits_and_what_has_waited_too_long(self, record, insights):
        await record.add([entry(1), entry(2, tenant="posters"), entry(3, Decision.BLOCK)])
        assert await insights.waiting(0.0) == Waiting(2, 0)
        assert await insights.waiting(1_101.5) == Waiting(2, 1)
        assert await insights.waiting(1_101.5, "posters") == Waiting(1, 0)
        await record.act("verdicts/1", NewAct(ActKind.ALLOW, "ann"))
        assert await insights.waiting(1_101.5) == Waiting(1, 0)

    async def test_nothing_waits_in_an_empty_record(self, insights):
        assert await insights.waiting(0.0) == Waiting(0, 0)
        assert await insights.handled(EVER, most=10) == []
        assert await insights.sample(EVER, [0.0, 1.0], most=3) == [[]]

    async def test_what_somebody_did_since_then(self, record, insights, clock):
        await record.add([entry(1), entry(2)])
        await record.act("verdicts/1", NewAct(ActKind.BLOCK, "ann"))
        clock.now += 10.0
        await record.act("verdicts/2", NewAct(ActKind.ALLOW, "ann"))
        await record.act("verdicts/2", NewAct(ActKind.NOTE, "bo", text="a pun"))
        assert [act.kind for act in await insights.acts_of("ann", 0.0)] == [ActKind.BLOCK, ActKind.ALLOW]
        assert [act.kind for act in await insights.acts_of("ann", clock.now)] == [ActKind.ALLOW]
