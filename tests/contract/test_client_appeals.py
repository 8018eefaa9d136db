"""What both clients promise of people's decisions, against a real gRPC server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest

from gatepost.v1 import verdict_pb2
from gatepost_client import Decision, Ground, InvalidRequest, NotFound, PeoplesAnswer, Verdict
from gatepost_client.testing import FakeServer, verdict
from tests.contract.client_faces import Face, Make, faces
from tests.contract.test_client_watch import until

REVIEW = verdict(Decision.REVIEW)
WAIT_S = 60.0


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as fake:
        yield fake


@pytest.fixture(params=faces().items(), ids=lambda entry: entry[0])
async def face(request: pytest.FixtureRequest, server: FakeServer) -> AsyncIterator[Face]:
    make: Make = request.param[1]
    client = make(server.target, timeout=WAIT_S)
    yield client
    await client.close()


async def collect(face: Face, name: str, seen: list[Verdict], **options: object) -> None:
    async for told in face.watch_verdict(name, timeout=WAIT_S, **options):
        seen.append(told)


def decided(decision: Decision, **people: object) -> verdict_pb2.Verdict:
    """As a gateway tells of people's decision."""
    message = verdict(decision)
    message.people.CopyFrom(verdict_pb2.PeoplesAnswer(decision=message.decision, **people))
    message.people.decide_time.FromSeconds(1_700_000_000)
    if decision is Decision.ALLOW:
        message.ticket = "a.fresh.ticket"
    return message


async def test_a_watch_goes_on_until_people_decide_where_that_is_asked_for(face: Face, server: FakeServer) -> None:
    server.script(REVIEW)
    given = await face.moderate(b"card")
    seen: list[Verdict] = []
    watching = asyncio.create_task(collect(face, given.name, seen, until_people_decide=True))
    await until(lambda: seen)
    server.resolve(given.name, decided(Decision.ALLOW))
    await watching
    assert [(told.decision, told.ticket) for told in seen] == [
        (Decision.REVIEW, ""),
        (Decision.ALLOW, "a.fresh.ticket"),
    ]
    assert seen[-1].people == PeoplesAnswer(decided=datetime.fromtimestamp(1_700_000_000, UTC))


async def test_otherwise_a_review_ends_it_as_before(face: Face, server: FakeServer) -> None:
    server.script(REVIEW)
    given = await face.moderate(b"card")
    seen: list[Verdict] = []
    await collect(face, given.name, seen)
    assert [told.decision for told in seen] == [Decision.REVIEW]


async def test_a_server_without_people_ends_the_watch_at_once(face: Face, server: FakeServer) -> None:
    unseen = verdict(Decision.REVIEW)
    unseen.people.waiting = False
    server.script(unseen)
    given = await face.moderate(b"card")
    seen: list[Verdict] = []
    await collect(face, given.name, seen, until_people_decide=True)
    assert [told.decision for told in seen] == [Decision.REVIEW]


async def test_a_restart_of_the_server_ends_no_watch_for_people(face: Face, server: FakeServer) -> None:
    server.script(REVIEW)
    given = await face.moderate(b"card")
    seen: list[Verdict] = []
    watching = asyncio.create_task(collect(face, given.name, seen, until_people_decide=True))
    await until(lambda: seen)
    await asyncio.to_thread(server.close)
    server.start()
    server.resolve(given.name, decided(Decision.BLOCK, ground=verdict_pb2.PeoplesAnswer.GROUND_PICTURE))
    await watching
    assert [told.decision for told in seen] == [Decision.REVIEW, Decision.BLOCK]
    assert seen[-1].people is not None
    assert seen[-1].people.ground is Ground.PICTURE


async def test_an_appeal_reaches_people_and_its_answer_comes_back(face: Face, server: FakeServer) -> None:
    server.script(verdict(Decision.BLOCK))
    given = await face.moderate(b"card")
    stands = await face.appeal(given.name, "请再看看", locale="zh-CN")
    assert (stands.decision, stands.people) == (Decision.BLOCK, PeoplesAnswer(waiting=True, appealed=True))
    assert [(each.name, each.message, each.locale) for each in server.appeals] == [(given.name, "请再看看", "zh-CN")]
    seen: list[Verdict] = []
    watching = asyncio.create_task(collect(face, given.name, seen, until_people_decide=True))
    await until(lambda: seen)
    server.resolve(given.name, decided(Decision.ALLOW, appealed=True, appeal_granted=True))
    await watching
    assert [told.allowed for told in seen] == [False, True]
    assert seen[-1].people is not None
    assert seen[-1].people.appeal_granted


async def test_what_cannot_be_appealed_is_a_typed_error(face: Face, server: FakeServer) -> None:
    given = await face.moderate(b"card")
    with pytest.raises(InvalidRequest) as refused:
        await face.appeal(given.name)
    assert refused.value.reason == "NOTHING_TO_APPEAL"
    with pytest.raises(NotFound):
        await face.appeal("verdicts/none")
