"""Rows in any order, some twice, some to be completed, become whole shards: one row for each input."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost_server.domain.errors import ErrorCode
from gatepost_server.rescan.assembling import OWNER, Assembler
from gatepost_server.rescan.claims import Claims
from gatepost_server.rescan.failures import Failure
from gatepost_server.rescan.inputs import Input
from gatepost_server.rescan.job import Asked, Job
from gatepost_server.rescan.rows import Content, row_of
from gatepost_server.rescan.schema import results_schema
from gatepost_server.rescan.work import HALT, way_schema

SCHEMA = results_schema(2)


def on_the_way(number: int, content: int, owner: int | None):
    """A row as a worker sends it; its verdict is an error that names its content."""
    each = Input(number, f"id-{number}", f"uri-{number}", "file")
    answer = Failure(ErrorCode.INTERNAL, f"CONTENT_{content}", "") if owner is None else None
    row = row_of(each, Content(f"{content:064x}", 1, f"{content:032x}"), answer) | {OWNER: owner, HALT: None}
    return {"embedding": [0.0, 0.0]} | row


def table(rows):
    return pa.Table.from_pylist(rows, schema=way_schema(SCHEMA))


def assemble(job, blocks, written=None):
    written = {} if written is None else written
    assembler = Assembler(job, SCHEMA, set(written), lambda shard: written[shard])
    for block in blocks:
        for shard, whole in assembler.add(table(block)):
            assert shard not in written, "a shard is given once"
            written[shard] = whole
    return written, assembler


@given(st.integers(0, 2**32), st.integers(1, 60), st.integers(1, 9), st.integers(1, 20))
def test_every_input_has_one_row_with_the_verdict_of_its_content(seed, inputs, shard_size, contents):
    dice = random.Random(seed)
    job = Job(Asked("x"), inputs, shard_size, 2)
    content = [dice.randrange(contents) for _ in range(inputs)]
    first: dict[int, int] = {}
    order = dice.sample(range(inputs), inputs)
    for number in order:  # whoever claims first scores
        first.setdefault(content[number], number)
    rows = [
        on_the_way(number, content[number], None if first[content[number]] == number else first[content[number]])
        for number in order
    ]
    rows += dice.choices(rows, k=dice.randrange(5))  # work of a worker that died, done again
    dice.shuffle(rows)
    blocks = []
    while rows:
        size = dice.randint(1, 8)
        blocks.append(rows[:size])
        rows = rows[size:]
    written, assembler = assemble(job, blocks)
    assert assembler.waiting == 0
    everything = pa.concat_tables([written[shard] for shard in sorted(written)])
    assert everything.schema == SCHEMA
    assert everything["number"].to_pylist() == list(range(inputs))
    for row in everything.to_pylist():
        number = row["number"]
        assert row["uri"] == f"uri-{number}"
        assert row["error"]["reason"] == f"CONTENT_{content[number]}"
        owner = first[content[number]]
        assert row["duplicate_of"] == (None if owner == number else f"id-{owner}")


def test_a_duplicate_of_a_shard_written_by_an_earlier_run_is_completed_from_it():
    job = Job(Asked("x"), 4, 2, 2)
    written, _ = assemble(job, [[on_the_way(0, 7, None), on_the_way(1, 8, None)]])
    written, assembler = assemble(job, [[on_the_way(2, 7, 0), on_the_way(3, 9, None)]], written)
    assert assembler.waiting == 0
    assert written[1]["error"].to_pylist()[0]["reason"] == "CONTENT_7"


def test_rows_that_wait_for_each_other_alone_are_never_given():
    """It takes lost claims to come about; the shard stays open and is done again."""
    job = Job(Asked("x"), 2, 1, 2)
    written, assembler = assemble(job, [[on_the_way(0, 7, 1), on_the_way(1, 7, 0)]])
    assert not written
    assert assembler.waiting == 2


@pytest.fixture
def claims():
    claims = Claims()
    yield claims
    claims.close()


def test_the_first_with_a_content_scores_it_however_often_it_asks(claims):
    keys = [f"{n:032x}" for n in (1, 2, 1)]
    assert claims.claim(keys, [10, 11, 12]) == [10, 11, 10]
    assert claims.claim(keys[:2], [10, 11]) == [10, 11]
    assert claims.claim(keys[1:], [20, 21]) == [11, 10]


def test_what_an_earlier_run_scored_is_not_scored_again(claims):
    claims.known([(f"{1:032x}", 3)])
    assert claims.claim([f"{1:032x}", f"{2:032x}"], [8, 9]) == [3, 9]


@pytest.mark.parametrize("inputs", [1, 511, 512, 513, 1_024])
def test_the_shards_of_a_job_hold_all_its_inputs(inputs):
    job = Job(Asked("x"), inputs, 512, 2)
    assert sum(job.rows_of(shard) for shard in range(job.shards)) == inputs
