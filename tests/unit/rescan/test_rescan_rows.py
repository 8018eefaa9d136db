"""A row holds all that was judged, in the columns that are documented."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from gatepost_server.domain.decision import Verdict
from gatepost_server.domain.errors import ErrorCode
from gatepost_server.domain.labels import CATEGORIES
from gatepost_server.policy.book import open_book
from gatepost_server.policy.judge import judge
from gatepost_server.records.codec import evidence_from_json
from gatepost_server.rescan.failures import Failure, Halt
from gatepost_server.rescan.inputs import PLANNED, Input, inputs_from_table, inputs_to_table
from gatepost_server.rescan.rows import content_of, row_of
from gatepost_server.rescan.schema import results_schema
from gatepost_server.rescan.work import FETCHED, HALT, OWNER, judge_images
from tests.builders import evidence, line, request

SCHEMA = results_schema(2)
DOCUMENTED = Path(__file__).parents[3] / "docs" / "rescan.md"


def planned(number: int = 0, **changed) -> Input:
    each = Input(number, f"id-{number}", f"uri-{number}", "file", labels={"app": "cards"}, expected_text=("福",))
    return replace(each, **changed)


def verdict_of(scores=None, embedding=(0.6, 0.8)) -> Verdict:
    seen = evidence(scores or {}, lines=[line("Xyzzy", insult=1 / 3)], prompt_similarity=0.25)
    seen, judgement = judge(replace(seen, embedding=embedding), request(expected_text=("福",)), open_book().get(""))
    return Verdict("verdicts/1", "r", judgement, seen, 1_700_000_000.25, {"total": 12.5})


class Judging:
    """A judge that answers as it was told, and remembers what it was asked."""

    def __init__(self, answer) -> None:
        self.answer = answer
        self.asked = []

    async def judge(self, question):
        self.asked.append(question)
        return self.answer

    async def close(self) -> None: ...


def images(*contents: bytes | None, **more) -> pa.Table:
    table = inputs_to_table([planned(number) for number in range(len(contents))])
    columns = {"content": list(contents), "code": None, "reason": None, "message": None, HALT: None} | more
    for field in list(FETCHED)[len(PLANNED) :]:
        values = columns[field.name] or [None] * len(contents)
        table = table.append_column(field, pa.array(values, field.type))
    return table


async def claimed_by_all(keys, numbers):
    return list(numbers)


async def judged(judge, table, claim=claimed_by_all):
    rows = await judge_images(table, SCHEMA, judge, claim, policy="strict", job_name="job")
    return rows.to_pylist()


def test_every_column_is_documented():
    table = re.findall(r"^\| ([a-z_0-9, ]+) \|", DOCUMENTED.read_text(), re.MULTILINE)
    named = {name.strip() for cell in table for name in cell.split(",")} - {"column"}
    assert set(SCHEMA.names) <= named


async def test_a_verdict_becomes_a_row_that_holds_all_of_it():
    given = verdict_of({"insult": 0.1 + 0.2, "off_script": 0.9})
    asking = Judging(given)
    (row,) = await judged(asking, images(b"image"))
    assert (row["number"], row["id"], row["uri"]) == (0, "id-0", "uri-0")
    assert row["decision"] == given.judgement.decision
    assert row["scores"]["insult"] == 0.1 + 0.2  # to the last digit
    assert row["scores"].keys() == {category.value for category in CATEGORIES}
    assert row["lines"][0]["text"] == "Xyzzy"
    assert row["lines"][0]["scores"]["insult"] == 1 / 3
    assert row["embedding"] == pytest.approx([0.6, 0.8])
    assert evidence_from_json(row["evidence"], tuple(given.evidence.embedding)) == given.evidence
    assert [reason["detail"] for reason in row["reasons"]] == [reason.detail for reason in given.judgement.reasons]
    assert dict(row["coverage"]["scripts"]) == dict(given.judgement.coverage.scripts)
    assert row["policy"] == {"name": given.judgement.policy, "version": given.judgement.policy_version}
    assert row["scored_at"].timestamp() == 1_700_000_000.25
    assert row["error"] is None
    (question,) = asking.asked
    assert (question.policy, question.expected_text, question.labels, question.want_embedding) == (
        "strict",
        ("福",),
        {"app": "cards"},
        True,
    )


async def test_what_could_not_be_read_or_judged_is_an_error_and_has_no_decision():
    unread = images(None, code=["NOT_FOUND"], reason=["SOURCE_MISSING"], message=["there is no such file"])
    (row,) = await judged(Judging(verdict_of()), unread)
    assert row["error"] == {"code": "NOT_FOUND", "reason": "SOURCE_MISSING", "message": "there is no such file"}
    assert (row["decision"], row["content_key"], row["embedding"]) == (None, None, [0.0, 0.0])
    failing = Judging(Failure(ErrorCode.INVALID_ARGUMENT, "IMAGE_TRUNCATED", "cut"))
    (row,) = await judged(failing, images(b"image"))
    assert row["error"]["reason"] == "IMAGE_TRUNCATED"
    assert row["decision"] is None
    assert row["sha256"] is not None


async def test_a_duplicate_is_not_asked_about_and_names_whose_verdict_it_gets():
    async def first_claims(keys, numbers):
        return [numbers[keys.index(key)] for key in keys]

    asking = Judging(verdict_of())
    rows = await judged(asking, images(b"same", b"other", b"same"), first_claims)
    assert [row[OWNER] for row in rows] == [None, None, 0]
    assert len(asking.asked) == 2


async def test_whatever_halts_the_job_is_told_in_the_row():
    (row,) = await judged(Judging(Halt("no credentials")), images(b"image"))
    assert row[HALT] == "no credentials"
    (row,) = await judged(Judging(verdict_of(embedding=(1.0, 0.0, 0.0))), images(b"image"))
    assert "3 numbers now, and 2 in this job" in row[HALT]


def test_the_same_bytes_asked_about_differently_are_two_questions():
    same, other = content_of(planned(), b"x"), content_of(planned(prompt="a card"), b"x")
    assert same.sha256 == other.sha256
    assert same.key != other.key
    assert same.key == content_of(planned(7, id="another", uri="elsewhere"), b"x").key


def test_a_plan_comes_back_as_it_was_written():
    inputs = [planned(), planned(1, start=512, length=9, tenant="cards", locale="zh", labels={}, expected_text=())]
    assert inputs_from_table(inputs_to_table(inputs)) == inputs


def test_a_row_of_nothing_but_its_input_is_complete():
    row = row_of(planned(), None, None)
    assert set(row) <= set(SCHEMA.names)
