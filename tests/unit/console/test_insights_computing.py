"""What the record says as a whole, worked out."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from gatepost_server.console.insights.drift import QUANTILES, Shift, drifts, stability
from gatepost_server.console.insights.lexicon import top
from gatepost_server.console.insights.pace import PAUSE_S, pace
from gatepost_server.console.insights.people import alpha, rounds, together
from gatepost_server.console.insights.period import DAY_S, Period
from gatepost_server.console.insights.precision import outcomes, precision
from gatepost_server.domain.labels import Category, Decision
from gatepost_server.domain.review import Act, ActKind, standing
from gatepost_server.policy.document import Thresholds
from gatepost_server.records.insights import Handled, Seen

ALLOW, BLOCK, APPEAL, UNDO, NOTE = ActKind.ALLOW, ActKind.BLOCK, ActKind.APPEAL, ActKind.UNDO, ActKind.NOTE
INSULT = {Category.INSULT: Thresholds(review=0.5, block=0.9)}


def seen(*, decision=Decision.REVIEW, matches=(), **scores) -> Seen:
    by_category = {Category(name): score for name, score in scores.items()}
    return Seen("verdicts/1", "cards", 0.0, decision, by_category, frozenset(matches))


def acts(*done) -> tuple[Act, ...]:
    """(kind, actor), or an Act, in order."""
    made = [each if isinstance(each, Act) else Act(0, *each, at=0.0) for each in done]
    return tuple(replace(act, id=number) for number, act in enumerate(made, 1))


def handled(what: Seen, *done, needed: int = 1) -> Handled:
    did = acts(*done)
    return Handled(what, Category.INSULT, did, standing(did, review=what.decision is Decision.REVIEW, needed=needed))


def test_a_threshold_is_held_against_those_that_reach_it_today():
    people = [
        handled(seen(insult=0.95), (BLOCK, "ann")),
        handled(seen(insult=0.6), (BLOCK, "ann")),
        handled(seen(insult=0.5), (ALLOW, "ann")),
        handled(seen(insult=0.4), (ALLOW, "ann")),  # would not be held back any more
        handled(seen(insult=0.7), (NOTE, "ann")),  # nobody decided
    ]
    review, block = precision(people, INSULT)
    assert (review.held.count, review.held.of, review.threshold) == (2, 3, 0.5)
    assert (block.held.count, block.held.of, block.decision) == (1, 1, Decision.BLOCK)
    assert block.held.low == pytest.approx(0.2065, abs=1e-4)  # Wilson's lower bound of 1 of 1


def test_without_a_block_threshold_there_is_one_row():
    assert [row.decision for row in precision([], {Category.SPAM: Thresholds(review=0.5)})] == [Decision.REVIEW]


def test_what_was_held_back_under_another_name_is_told():
    corrected = Act(0, ActKind.RECATEGORISE, "ann", 0.0, Category.HATE)
    (review, _) = precision([handled(seen(insult=0.8), corrected, (BLOCK, "ann"))], INSULT)
    assert (review.held.count, review.otherwise) == (1, 1)


def test_peoples_decisions_are_counted_by_what_was_decided_without_them():
    found = outcomes(
        [
            handled(seen(), (ALLOW, "ann")),
            handled(seen(), (BLOCK, "ann")),
            handled(seen(decision=Decision.BLOCK), (APPEAL, ""), (ALLOW, "ann")),
            handled(seen(), (NOTE, "ann")),
        ]
    )
    assert found == {
        Decision.REVIEW: {Decision.ALLOW: 1, Decision.BLOCK: 1},
        Decision.BLOCK: {Decision.ALLOW: 1},
    }


def test_an_appeal_begins_a_round_and_somebodys_last_opinion_counts():
    did = acts((BLOCK, "ann"), (ALLOW, "bo"), (ALLOW, "ann"), (APPEAL, ""), (BLOCK, "cy"))
    assert [[(act.actor, act.kind) for act in each] for each in rounds(did)] == [
        [("ann", ALLOW), ("bo", ALLOW)],
        [("cy", BLOCK)],
    ]


def test_an_undone_opinion_is_none():
    did = acts((BLOCK, "ann"), Act(0, UNDO, "ann", 0.0, undoes=1))
    assert list(rounds(did)) == [()]


def test_agreement_is_told_of_all_and_of_each():
    found = together(
        [
            handled(seen(), (BLOCK, "ann"), (BLOCK, "bo"), needed=2),
            handled(seen(), (BLOCK, "ann"), (ALLOW, "bo"), needed=2),
            handled(seen(), (BLOCK, "ann")),
        ]
    )
    assert (found.pairs.count, found.pairs.of) == (1, 2)
    ann, bo = found.people
    assert (ann.name, ann.opinions, ann.blocked.count, ann.agreed.count, ann.agreed.of) == ("ann", 3, 3, 1, 2)
    assert (bo.opinions, bo.blocked.count, bo.agreed.of) == (2, 1, 2)


def test_alpha_is_that_of_krippendorffs_own_example():
    # Krippendorff 2011, A. Binary or dichotomous data, two observers: 0 is ALLOW, 1 is BLOCK.
    meg = ["0", "1", "0", "0", "0", "0", "0", "0", "1", "0"]
    owen = ["1", "1", "1", "0", "0", "1", "0", "0", "0", "0"]
    units = [Counter({"0": ALLOW, "1": BLOCK}[value] for value in pair) for pair in zip(meg, owen, strict=True)]
    assert alpha(units) == pytest.approx(0.095, abs=5e-4)


def test_alpha_is_not_defined_where_there_is_nothing_to_disagree_about():
    assert alpha([]) is None
    assert alpha([Counter({BLOCK: 1}), Counter({ALLOW: 1})]) is None
    assert alpha([Counter({BLOCK: 2}), Counter({BLOCK: 3})]) is None


def test_scores_that_stay_are_steady_and_scores_that_move_are_told():
    draw = np.random.default_rng(1)
    before, same, higher = draw.beta(1, 8, 2_000), draw.beta(1, 8, 2_000), draw.beta(2, 4, 2_000)
    assert stability(before, same)[1] is Shift.STEADY
    index, shift = stability(before, higher)
    assert (index > 0.25, shift) == (True, Shift.MUCH)


def test_a_handful_of_scores_says_nothing():
    assert stability(np.array([0.01, 0.2]), np.array([0.5]))[1] is Shift.UNKNOWN
    assert stability(np.array([]), np.array([0.5])) == (None, Shift.UNKNOWN)


def test_the_index_is_unsure_as_often_as_it_says():
    draw, wrong = np.random.default_rng(2), 0
    for _ in range(300):
        index, _ = stability(draw.beta(1, 3, 400), draw.beta(1, 3, 400))
        wrong += index > (2 / 400) * (8 + 1.645 * math.sqrt(16))
    assert wrong <= 30  # 5 % of 300 are 15


def test_quantiles_have_a_row_for_each_stretch_of_time():
    some = [seen(insult=score / 100) for score in range(101)]
    insult = next(each for each in drifts([some, []]) if each.category is Category.INSULT)
    assert insult.quantiles.shape == (2, len(QUANTILES))
    assert insult.quantiles[0] == pytest.approx([0.5, 0.9, 0.99])
    assert np.isnan(insult.quantiles[1]).all()
    assert insult.highest == pytest.approx(0.99)


def test_a_category_of_which_nothing_is_known_is_there_and_empty():
    assert next(each for each in drifts([[], []]) if each.category is Category.SPAM).highest == 0.0


def test_entries_of_the_lexicon_come_with_what_became_of_their_images():
    fool, offer = "insult:fool", "spam:free offer"
    sample = [
        seen(matches=(fool,), decision=Decision.BLOCK),
        seen(matches=(fool, offer), decision=Decision.ALLOW),
        seen(decision=Decision.ALLOW),
    ]
    people = [handled(seen(matches=(fool,)), (ALLOW, "ann")), handled(seen(matches=(fool,)), (BLOCK, "ann"))]
    first, second = top(sample, people, most=5)
    assert (first.term, first.images.count, first.images.of, first.refused) == ("fool", 2, 3, 1)
    assert (first.let_go.count, first.let_go.of) == (1, 2)
    assert (second.category, second.term, second.let_go.of) == (Category.SPAM, "free offer", 0)
    assert len(top(sample, people, most=1)) == 1


@pytest.mark.parametrize(("days", "stretches"), [(1, 24), (7, 7), (90, 90)])
def test_a_period_ends_with_the_hour_or_day_that_it_is(days, stretches):
    now = 20_000 * DAY_S + 12_345.0
    period = Period.last(days, now)
    assert len(period.edges) == stretches + 1
    assert period.edges[-2] <= now < period.until
    assert period.until - period.since == pytest.approx(days * DAY_S)


def worked(*minutes) -> list[Act]:
    return [Act(number, ALLOW, "ann", 60.0 * minute) for number, minute in enumerate(minutes)]


def test_a_pause_begins_a_new_stretch():
    found = pace(worked(0, 5, 30, 34, 38), 60.0 * 40, break_minutes=50)
    assert (found.items, found.stretch_items, found.stretch_s) == (5, 3, 600.0)
    assert not found.break_due


def test_a_break_is_due_after_a_long_stretch_unless_nobody_wants_to_hear_of_it():
    at_it = worked(*range(0, 60, 5))
    assert pace(at_it, 60.0 * 55, break_minutes=50).break_due
    assert not pace(at_it, 60.0 * 55, break_minutes=0).break_due
    assert not pace(at_it, 60.0 * 55 + PAUSE_S + 1, break_minutes=50).break_due


def test_notes_are_no_items_but_belong_to_the_stretch():
    found = pace([Act(1, NOTE, "ann", 0.0), Act(2, BLOCK, "ann", 300.0)], 300.0, break_minutes=50)
    assert (found.items, found.stretch_items, found.stretch_s) == (1, 1, 300.0)
