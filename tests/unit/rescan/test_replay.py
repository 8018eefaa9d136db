"""Two policies over stored results: the flips are those that judging one by one gives, however results are laid out."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from gatepost_server.domain.known_bad import KnownBad, Likeness
from gatepost_server.domain.labels import Category
from gatepost_server.policy.asked import with_quoted
from gatepost_server.policy.book import open_book
from gatepost_server.policy.comparison import EXAMPLES, rate
from gatepost_server.policy.judge import judge
from gatepost_server.rescan.failures import RescanError
from gatepost_server.rescan.replay.compare import compare
from gatepost_server.rescan.replay.look import look_back
from gatepost_server.rescan.replay.many import Judge
from gatepost_server.rescan.replay.page import render
from gatepost_server.rescan.replay.results import open_results
from gatepost_server.rescan.stores.base import address
from tests.builders import evidence, line, request
from tests.unit.policy.policy_text import policy
from tests.unit.rescan.random_results import sample, stored
from tests.unit.rescan.stored_results import failed, write_results

COUNT = 300
CARD = open_book().get("greeting-card")
TRIED = policy(
    thresholds={"hate": {"review": 0.2, "block": 0.4}, "spam": {"review": 0.5}},
    block_list=[{"id": "horse", "text": "草泥马", "category": "insult"}],
    rules=[{"name": "wide", "expression": "image.width > 1500", "decision": "REVIEW"}],
)


@pytest.fixture(scope="module")
def samples():
    return [sample(seed) for seed in range(COUNT)]


@pytest.fixture(scope="module")
def rows(samples):
    """With two that failed among them."""
    rows = [stored(number, *each, CARD) for number, each in enumerate(samples)]
    return [*rows[:20], failed(COUNT), *rows[20:], failed(COUNT + 1)]


def opened(folder, rows, **more):
    return open_results(address(write_results(folder, rows, **more)))


def decisions(samples, tried):
    return [judge(seen, with_quoted(asked, tried), tried)[1].decision.value for seen, asked in samples]


def flips(samples, old, new):
    pairs = zip(decisions(samples, old), decisions(samples, new), strict=True)
    return Counter(pair for pair in pairs if pair[0] != pair[1])


def test_flips_are_those_of_judging_one_by_one(tmp_path, samples, rows):
    found = compare(opened(tmp_path, rows), Judge(TRIED))
    assert found.flips == flips(samples, CARD, TRIED)
    assert len(found.flips) > 3
    assert (found.rows, found.without_evidence) == (COUNT, 2)
    assert found.before == Counter(decisions(samples, CARD))
    assert found.after == Counter(decisions(samples, TRIED))
    assert sum(found.by_tenant.values(), Counter()) == found.flips
    assert sum(found.tenants.values()) == COUNT


def test_two_policies_are_held_against_each_other_whatever_was_decided_then(tmp_path, samples, rows):
    strict = open_book().get("strict")
    found = compare(opened(tmp_path, rows), Judge(TRIED), Judge(strict))
    assert found.flips == flips(samples, strict, TRIED)


def test_the_same_policy_flips_nothing(tmp_path, rows):
    assert compare(opened(tmp_path, rows), Judge(CARD)).flips.total() == 0


def test_results_from_before_there_were_facts_are_judged_all_the_same(tmp_path, samples, rows):
    found = compare(opened(tmp_path, rows, without=("facts",)), Judge(TRIED))
    assert found.flips == flips(samples, CARD, TRIED)
    assert found.one_by_one == COUNT


def test_every_flip_is_told_with_what_the_graver_decision_rests_on(tmp_path):
    clean, spam = evidence(), evidence({"spam": 0.9})
    listed, insult = evidence(lines=[line("草泥马")]), evidence({"insult": 0.9})
    rows = [stored(place, seen, request(), CARD) for place, seen in enumerate((clean, spam, listed, insult))]
    found = compare(opened(tmp_path, rows), Judge(TRIED))
    assert found.by_ground == {"insult": Counter({("ALLOW", "BLOCK"): 1, ("BLOCK", "ALLOW"): 1})}
    assert [(each.id, each.grounds) for each in found.examples["ALLOW", "BLOCK"]] == [("card-2", ("insult",))]
    assert [(each.id, each.grounds) for each in found.examples["BLOCK", "ALLOW"]] == [("card-3", ("insult",))]


def test_there_are_a_few_examples_of_each_kind_and_the_page_escapes_them(tmp_path):
    seen = evidence(lines=[line("草泥马")])
    rows = [stored(place, seen, request(tenant="<b>"), CARD) for place in range(3 * EXAMPLES)]
    found = compare(opened(tmp_path, rows), Judge(TRIED))
    assert len(found.examples["ALLOW", "BLOCK"]) == EXAMPLES
    page = render(found, new="<new>", old="old")
    assert "<b>" not in page
    assert "<new>" not in page
    assert "cards/0.png" in page


@pytest.mark.parametrize(
    ("count", "of", "low", "high"), [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0)]
)
def test_rates_come_with_wilsons_interval(count, of, low, high):
    assert (rate(count, of).low, rate(count, of).high) == pytest.approx((low, high), abs=1e-4)


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(RescanError, match="holds no results"):
        open_results(address(str(tmp_path)))


# --- look-back ----------------------------------------------------------------------------------


def example(**what) -> KnownBad:
    return KnownBad("one", Category.INSULT, 0.0, "wang", **what)


@pytest.fixture
def looked(tmp_path):
    """Three cards: one with an insult in disguise, one with another hash, one plain; and one that failed."""
    insult = evidence(lines=[line("祝你草 泥 馬"), line("大吉")])
    hashed = replace(evidence(), image=replace(evidence().image, sha256="12" * 32, pdq="34" * 32))
    plain = replace(evidence(), image=replace(evidence().image, pdq_quality=10))
    rows = [stored(place, seen, request(), CARD) for place, seen in enumerate((insult, hashed, plain))]
    rows[2] = rows[2] | {"embedding": [1.0, 0.0, 0.0, 0.0]}
    return opened(tmp_path, [*rows, failed(3)])


def found(looked, **what) -> list[tuple[str, str]]:
    return [(each.id, each.likeness.value) for each in look_back(looked, example(**what))]


def test_a_text_is_found_in_disguise(looked):
    assert found(looked, text="草泥马") == [("card-0", Likeness.TEXT)]
    assert found(looked, text="万事如意") == []


def test_results_from_before_there_were_facts_can_be_looked_through(tmp_path):
    rows = [stored(0, evidence(lines=[line("祝你草 泥 馬")]), request(), CARD)]
    assert found(opened(tmp_path, rows, without=("facts",)), text="草泥马") == [("card-0", Likeness.TEXT)]


def test_a_hash_is_found_within_its_distance_and_never_by_one_that_says_nothing(looked):
    assert found(looked, pdq="34" * 32) == [("card-1", Likeness.PDQ)]
    assert found(looked, pdq="36" + "34" * 31) == [("card-1", Likeness.PDQ)]
    assert found(looked, pdq="36" + "34" * 31, pdq_distance=0) == []
    assert found(looked, pdq="cd" * 32) == [("card-0", Likeness.PDQ)]  # of the plain one it is worth nothing


def test_a_file_is_found_by_its_digest(looked):
    assert found(looked, sha256="12" * 32) == [("card-1", Likeness.SAME_FILE)]


def test_an_embedding_is_found_among_those_of_its_model(looked):
    assert found(looked, embedding=(1.0, 0.0, 0.0, 0.0), embedding_model="net-clip 1") == [
        ("card-2", Likeness.EMBEDDING)
    ]
    assert found(looked, embedding=(1.0, 0.0, 0.0, 0.0), embedding_model="net-clip 2") == []
