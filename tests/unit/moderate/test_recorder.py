"""What a policy says of the record: whose images are kept, how many people decide, and how soon."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatepost_server.domain.decision import Reason, ReasonCode
from gatepost_server.domain.keeping import KeepImages
from gatepost_server.domain.labels import Category, Decision
from gatepost_server.moderate.recorder import Recorder
from gatepost_server.records.handover import Handover
from gatepost_server.records.sql_record import SqlRecord
from tests.builders import request
from tests.unit.policy.policy_text import policy
from tests.unit.records.backlog_contract import allowed


@pytest.fixture
async def handover(tmp_path):
    made = Handover(tmp_path / "handover.db")
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def record(tmp_path):
    made = SqlRecord.in_file(tmp_path / "record.db")
    await made.open()
    yield made
    await made.close()


async def written(recorder: Recorder, handover: Handover, decision: Decision, *categories: Category, name: str):
    verdict = allowed("verdicts/1")
    reasons = tuple(Reason(ReasonCode.SCORE, decision, each, 0.9, 0.5) for each in categories)
    judgement = replace(verdict.judgement, decision=decision, reasons=reasons, policy=name)
    await recorder.write(request(), replace(verdict, judgement=judgement))
    (taken,) = await handover.take(10, 1 << 20)
    await handover.drop([taken])
    return taken.entry


@pytest.mark.parametrize(
    ("keep", "kept"),
    [
        (KeepImages.NONE, []),
        (KeepImages.REFUSED, [Decision.REVIEW, Decision.BLOCK]),
        (KeepImages.ALL, list(Decision)),
    ],
)
async def test_whose_images_are_kept_is_the_policys_to_say(handover, record, keep, kept):
    said = policy(review={"keep_images": keep.value})
    for default in KeepImages:
        recorder = Recorder(handover, record, keep=default, due_s=1.0, policies=[said])
        found = [
            decision
            for decision in Decision
            if (await written(recorder, handover, decision, name=said.name)).image is not None
        ]
        assert found == kept


async def test_where_nothing_seals_no_policy_keeps_an_image(handover, record):
    said = policy(review={"keep_images": "all"})
    recorder = Recorder(handover, record, keep=KeepImages.ALL, due_s=1.0, policies=[said], seals=False)
    assert (await written(recorder, handover, Decision.BLOCK, name=said.name)).image is None


async def test_the_gravest_reason_says_how_many_people_decide_and_the_policy_how_soon(handover, record):
    said = policy(review={"opinions_by_category": {"hate": 2, "threat": 3}, "due_s": 60.0})
    recorder = Recorder(handover, record, keep=KeepImages.NONE, due_s=1.0, policies=[said])
    for categories, opinions in (
        ((), 1),
        ((Category.INSULT,), 1),
        ((Category.INSULT, Category.HATE), 2),
        ((Category.THREAT, Category.HATE), 3),
    ):
        entry = await written(recorder, handover, Decision.REVIEW, *categories, name=said.name)
        assert (entry.opinions, entry.due_s) == (opinions, 60.0)
    entry = await written(recorder, handover, Decision.REVIEW, name="another")
    assert (entry.opinions, entry.due_s) == (1, 1.0)


def test_what_people_are_asked_is_no_part_of_a_policys_version():
    assert policy(review={"opinions": 2}).version == policy().version
