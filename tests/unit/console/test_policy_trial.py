"""Another policy tried on what the record holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatepost_server.console.insights.trial import Trials, as_yaml, parsed, with_thresholds
from gatepost_server.domain.labels import Category, Decision
from gatepost_server.policy.book import open_book
from gatepost_server.policy.judge import judge
from gatepost_server.policy.load import PolicyError
from gatepost_server.records.entry import entry_of
from gatepost_server.records.insights import Scope
from gatepost_server.records.sql_insights import SqlInsights
from gatepost_server.records.sql_record import SqlRecord
from tests.builders import evidence, request
from tests.unit.records.backlog_contract import allowed, held

POLICY = open_book().get("greeting-card")
EVER = Scope(0.0, 5_000.0)


def verdict(number: int, insult: float):
    """As the shipped policy judges that score."""
    seen, judgement = judge(evidence({"insult": insult}), request(), POLICY)
    made = replace(allowed(f"verdicts/{number}"), judgement=judgement, evidence=seen, created=float(number))
    return entry_of(request(), made, keep_image=False)


@pytest.fixture
async def insights(tmp_path):
    url = f"sqlite:///{tmp_path / 'record.db'}"
    record, made = SqlRecord(url), SqlInsights(url)
    await record.open()
    await record.add([verdict(number, number / 1_000) for number in range(1, 901)])
    await record.add([entry_of(request(), replace(held("verdicts/x"), created=1.0), keep_image=False)])
    yield made
    await made.close()
    await record.close()


def thresholds(**changed: tuple[str, str]) -> dict[Category, tuple[str, str]]:
    """As a form has them."""
    said = {
        category: (f"{levels.review:g}", "" if levels.block is None else f"{levels.block:g}")
        for category, levels in POLICY.document.thresholds.items()
    }
    return said | {Category(name): levels for name, levels in changed.items()}


async def test_what_flips_is_what_lies_between_the_old_and_the_new_threshold(insights):
    new = with_thresholds(POLICY, thresholds(insult=("0.6", "0.8")))
    found = (await Trials().run(insights, EVER, new, POLICY, most=2_000)).found
    assert found.flips == {("REVIEW", "ALLOW"): 100}
    assert (found.rows, found.without_evidence) == (900, 1)
    assert found.by_ground == {"insult": {("REVIEW", "ALLOW"): 100}}


async def test_against_what_was_decided_then_the_same_policy_flips_nothing(insights):
    found = (await Trials().run(insights, EVER, POLICY, None, most=2_000)).found
    assert found.flips == {}
    assert found.before == {"ALLOW": 499, "REVIEW": 300, "BLOCK": 101}


async def test_no_more_are_judged_than_asked_for_and_each_once(insights):
    outcome = await Trials().run(insights, EVER, POLICY, POLICY, most=450)
    found = outcome.found
    assert not outcome.stopped
    assert found.rows + found.without_evidence == 450


async def test_an_empty_record_has_nothing_to_judge(insights):
    found = (await Trials().run(insights, Scope(8_000.0, 9_000.0), POLICY, POLICY, most=450)).found
    assert (found.rows, found.flipped.share) == (0, 0.0)


async def test_a_trial_that_takes_too_long_is_stopped_and_says_so(insights):
    minutes = iter(range(0, 6_000, 50))
    outcome = await Trials(clock=lambda: next(minutes)).run(insights, EVER, POLICY, POLICY, most=2_000)
    assert outcome.stopped
    assert 0 < outcome.found.rows < 900


def test_a_text_that_is_small_and_stands_for_much_is_refused():
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
    with pytest.raises(PolicyError, match="aliases"):
        parsed(bomb, POLICY)


@pytest.mark.parametrize("text", ["{", "\x00", "a: b: c"])
def test_a_text_that_is_no_yaml_is_told(text):
    with pytest.raises(PolicyError, match="not YAML"):
        parsed(text, POLICY)


def test_a_policys_own_text_is_the_same_policy():
    assert parsed(as_yaml(POLICY.document), POLICY).version == POLICY.version


def test_thresholds_as_they_are_make_the_same_judgements():
    same = with_thresholds(POLICY, thresholds())
    assert same.document.thresholds == POLICY.document.thresholds
    assert same.version == POLICY.version


def test_without_a_block_threshold_it_is_left_to_people():
    new = with_thresholds(POLICY, thresholds(insult=("0.5", " ")))
    _, judgement = judge(evidence({"insult": 0.99}), request(), new)
    assert judgement.decision is Decision.REVIEW


@pytest.mark.parametrize("said", [("a lot", "0.8"), ("", "0.8"), ("0.9", "0.8"), ("nan", ""), ("1e9", "")])
def test_what_is_no_threshold_is_told_with_its_place(said):
    with pytest.raises(PolicyError, match=r"thresholds\.insult"):
        with_thresholds(POLICY, thresholds(insult=said))
