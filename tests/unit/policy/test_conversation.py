"""What went before a picture tightens thresholds by factors that the policy names, and the verdict says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost_server.domain.decision import Tightening, Turn
from gatepost_server.domain.labels import CATEGORIES, Decision
from gatepost_server.policy.book import open_book
from gatepost_server.policy.evaluate import GRAVITY
from gatepost_server.policy.judge import judge
from gatepost_server.policy.load import PolicyError
from gatepost_server.text.temper import read_abuse
from tests.builders import evidence, request
from tests.unit.policy.policy_text import policy

LEXICON = read_abuse(Path(__file__).parents[3] / "model_repository" / "text_toxicity" / "1" / "lexicons")
CARD = open_book().get("greeting-card")
RULES = {"long": {"turns": 4, "factor": 0.9}, "frustration": 0.8, "abuse": 0.5}


def user(*texts: str) -> tuple[Turn, ...]:
    return tuple(Turn("user", text) for text in texts)


def tightening(judging, **asked):
    return judge(evidence(), request(**asked), judging, lexicon=LEXICON)[1].tightening


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, None),
        ({"turn_count": 3}, None),
        ({"turn_count": 4}, Tightening(0.9, ("turns",))),
        ({"turns": user("a", "b", "c", "d")}, Tightening(0.9, ("turns",))),
        ({"turns": user("又画错了")}, Tightening(0.8, ("frustration",))),
        ({"turns": user("you idiot")}, Tightening(0.5, ("abuse",))),
        ({"turns": user("又错了，白痴"), "turn_count": 9}, Tightening(0.36, ("turns", "frustration", "abuse"))),
        ({"turns": (Turn("assistant", "you idiot, wrong again"),)}, None),
        ({"turns": user("请画得大一点")}, None),
    ],
)
def test_turns_frustration_and_abuse_of_the_user_count(asked, found):
    assert tightening(policy(conversation=RULES), **asked) == found


def test_a_policy_may_leave_any_of_them_out():
    angry = {"turns": user("又错了，白痴"), "turn_count": 9}
    assert tightening(policy(), **angry) is None
    assert tightening(policy(conversation={"abuse": 1.0}), **angry) is None
    assert tightening(policy(conversation={"frustration": 0.7}), **angry) == Tightening(0.7, ("frustration",))


def test_thresholds_are_multiplied_and_reasons_tell_the_ones_that_counted():
    calm, angry = request(), request(turns=user("白痴"))
    judging = policy(conversation=RULES)
    assert judge(evidence({"insult": 0.3}), calm, judging, lexicon=LEXICON)[1].decision is Decision.ALLOW
    _, judgement = judge(evidence({"insult": 0.3}), angry, judging, lexicon=LEXICON)
    assert judgement.decision is Decision.REVIEW
    assert judgement.reasons[0].threshold == 0.25
    assert judge(evidence({"insult": 0.4}), angry, judging, lexicon=LEXICON)[1].decision is Decision.BLOCK
    assert judgement.policy_version == judging.version


def test_the_rules_of_the_shipped_policy_tighten_with_it():
    angry = request(turns=user("你这个废物"))
    both = evidence({"off_script": 0.4, "insult": 0.4})
    assert judge(both, request(), CARD, lexicon=LEXICON)[1].decision is Decision.ALLOW
    assert judge(both, angry, CARD, lexicon=LEXICON)[1].decision is Decision.BLOCK


def test_nothing_of_the_conversation_is_repeated():
    _, judgement = judge(evidence({"insult": 0.4}), request(turns=user("你这个废物")), CARD, lexicon=LEXICON)
    assert "废物" not in repr(judgement)


@given(st.dictionaries(st.sampled_from(CATEGORIES), st.floats(0.0, 1.0)), st.integers(0, 30))
def test_a_longer_or_angrier_conversation_never_makes_a_decision_milder(scores, turns):
    seen = evidence(scores)
    before = judge(seen, request(), CARD, lexicon=LEXICON)[1].decision
    for asked in (request(turn_count=turns), request(turns=user("又错了，白痴"), turn_count=turns)):
        assert GRAVITY[judge(seen, asked, CARD, lexicon=LEXICON)[1].decision] >= GRAVITY[before]


@pytest.mark.parametrize(
    "wrong", [{"abuse": 0.0}, {"abuse": 1.5}, {"long": {"turns": 0, "factor": 0.9}}, {"long": 0.9}, {"anger": 0.9}]
)
def test_a_mistake_in_the_settings_is_refused(wrong):
    with pytest.raises(PolicyError, match="conversation"):
        policy(conversation=wrong)
