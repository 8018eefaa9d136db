"""What the workers do, without Ray: a shard to fetched images, fetched images to rows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence

import pyarrow as pa

from gatepost_server.domain.decision import Verdict
from gatepost_server.domain.errors import ErrorCode
from gatepost_server.rescan.assembling import OWNER
from gatepost_server.rescan.failures import CredentialsError, Failure, Halt, SourceError
from gatepost_server.rescan.inputs import PLANNED, Input, inputs_from_table, inputs_to_table
from gatepost_server.rescan.job import Destination
from gatepost_server.rescan.judges import Judge
from gatepost_server.rescan.plan import planned
from gatepost_server.rescan.reading import Fetched, Reading, fetched
from gatepost_server.rescan.rows import Content, Row, content_of, question_of, row_of

HALT = "_halt"  # of rows on their way: why the job cannot go on

FETCHED = pa.schema(
    [
        *PLANNED,
        ("content", pa.large_binary()),
        ("code", pa.string()),  # of a Failure, with the two below
        ("reason", pa.string()),
        ("message", pa.string()),
        (HALT, pa.string()),
    ]
)

ClaimAll = Callable[[Sequence[str], Sequence[int]], Awaitable[list[int]]]


def read_shard_images(destination: Destination, shard: int, reading: Reading) -> Iterator[pa.Table]:
    """The images of a shard by FETCHED, in pieces. A plan that cannot be read is one row that halts the job."""
    try:
        inputs = planned(destination, shard)
    except (SourceError, CredentialsError) as error:
        yield pa.Table.from_pylist([{"number": -1, HALT: f"the plan cannot be read: {error}"}], schema=FETCHED)
        return
    for piece in fetched(inputs, reading):
        yield _piece([each for each, _ in piece], [content for _, content in piece])


async def judge_images(
    images: pa.Table, schema: pa.Schema, judge: Judge, claim: ClaimAll, *, policy: str, job_name: str
) -> pa.Table:
    """One row for each image, by `schema` with OWNER and HALT beside it. All are asked at once: `judge` holds them."""
    embedding_size: int = schema.field("embedding").type.list_size
    rows: dict[int, Row] = {}
    asked: list[tuple[Input, bytes, Content]] = []
    inputs = inputs_from_table(images.filter(images["number"].to_numpy() >= 0))
    rest = images.select([name for name in FETCHED.names if name not in PLANNED.names]).to_pylist()
    if len(inputs) < len(rest):
        return _rows([{"number": -1, "id": "", "uri": "", "tenant": "", HALT: rest[0][HALT]}], schema)
    for each, told in zip(inputs, rest, strict=True):
        if told["content"] is not None:
            asked.append((each, told["content"], content_of(each, told["content"])))
        elif told[HALT] is not None:
            rows[each.number] = row_of(each, None, None) | {HALT: told[HALT]}
        else:
            failure = Failure(ErrorCode(told["code"]), told["reason"], told["message"])
            rows[each.number] = row_of(each, None, failure)
    owners = await claim([content.key for _, _, content in asked], [each.number for each, _, _ in asked])
    judged = []
    for (each, image, content), owner in zip(asked, owners, strict=True):
        if owner == each.number:
            judged.append(_judged(each, image, content, judge, policy, job_name, embedding_size))
        else:
            rows[each.number] = row_of(each, content, None) | {OWNER: owner}
    for number, row in await asyncio.gather(*judged):
        rows[number] = row
    return _rows([rows[each.number] for each in inputs], schema)


async def _judged(
    each: Input, image: bytes, content: Content, judge: Judge, policy: str, job_name: str, embedding_size: int
) -> tuple[int, Row]:
    question = question_of(each, image, request_id=f"rescan/{job_name}/{each.number}", policy=policy)
    answer = await judge.judge(question)
    if isinstance(answer, Verdict) and answer.evidence is not None:
        size = len(answer.evidence.embedding)
        if size not in (0, embedding_size):
            answer = Halt(f"embeddings have {size} numbers now, and {embedding_size} in this job: use another --out")
    if isinstance(answer, Halt):
        return each.number, row_of(each, content, None) | {HALT: answer.why}
    return each.number, row_of(each, content, answer)


def way_schema(schema: pa.Schema) -> pa.Schema:
    """The schema of rows on their way."""
    return schema.append(pa.field(OWNER, pa.int64())).append(pa.field(HALT, pa.string()))


def _rows(rows: Sequence[Row], schema: pa.Schema) -> pa.Table:
    none = [0.0] * schema.field("embedding").type.list_size
    return pa.Table.from_pylist([{"embedding": none} | row for row in rows], schema=way_schema(schema))


def _piece(inputs: Sequence[Input], contents: Sequence[Fetched]) -> pa.Table:
    failures = [each if isinstance(each, Failure) else None for each in contents]
    columns = {
        "content": [each if isinstance(each, bytes) else None for each in contents],
        "code": [None if each is None else each.code.value for each in failures],
        "reason": [None if each is None else str(each.reason) for each in failures],
        "message": [None if each is None else each.message for each in failures],
        HALT: [each.why if isinstance(each, Halt) else None for each in contents],
    }
    table = inputs_to_table(inputs)
    for name, values in columns.items():
        table = table.append_column(FETCHED.field(name), pa.array(values, FETCHED.field(name).type))
    return table
