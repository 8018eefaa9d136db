"""What both clients promise of held images, against a real gRPC server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from gatepost.v1 import moderation_pb2
from gatepost_client import Category, DeadlineExceeded, Decision, Item, NotFound, Unavailable, Urgency, Verdict
from gatepost_client.testing import FakeServer, verdict
from tests.contract.client_faces import Face, Make, faces

HELD = verdict(Decision.HOLD, pending=True)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as fake:
        yield fake


@pytest.fixture(params=faces().items(), ids=lambda entry: entry[0])
def make(request: pytest.FixtureRequest) -> Make:
    return request.param[1]


@pytest.fixture
async def face(make: Make, server: FakeServer) -> AsyncIterator[Face]:
    client = make(server.target, timeout=10.0)
    yield client
    await client.close()


async def collect(face: Face, name: str, seen: list[Verdict] | None = None, **options: float) -> list[Verdict]:
    seen = [] if seen is None else seen
    async for told in face.watch_verdict(name, **options):
        seen.append(told)
    return seen


async def until(condition) -> None:
    async with asyncio.timeout(5.0):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_hold_says_that_the_work_goes_on_and_the_watch_delivers_what_comes_of_it(
    face: Face, server: FakeServer
) -> None:
    server.script(HELD)
    held = await face.gate(b"card", request_id="card-7")
    assert (held.decision, held.pending, held.allowed, held.error) == (Decision.HOLD, True, False, None)
    seen: list[Verdict] = []
    watching = asyncio.create_task(collect(face, held.name, seen))
    await until(lambda: seen)
    server.resolve(held.name, verdict(Decision.BLOCK, Category.INSULT))
    await watching
    assert [told.decision for told in seen] == [Decision.HOLD, Decision.BLOCK]
    assert {(told.name, told.request_id, told.pending) for told in seen} == {
        (held.name, "card-7", True),
        (held.name, "card-7", False),
    }


async def test_a_final_verdict_is_told_once(face: Face, server: FakeServer) -> None:
    given = await face.moderate(b"card")
    assert [told.decision for told in await collect(face, given.name)] == [Decision.ALLOW]


async def test_an_unknown_name_is_not_found(face: Face) -> None:
    with pytest.raises(NotFound):
        await collect(face, "verdicts/none")


async def test_a_restart_of_the_server_ends_no_watch_and_nothing_is_told_twice(face: Face, server: FakeServer) -> None:
    server.script(HELD)
    held = await face.moderate(b"card")
    seen: list[Verdict] = []
    watching = asyncio.create_task(collect(face, held.name, seen))
    await until(lambda: seen)
    await asyncio.to_thread(server.close)
    await asyncio.sleep(0.3)
    server.start()
    server.resolve(held.name, verdict())
    await watching
    assert [told.decision for told in seen] == [Decision.HOLD, Decision.ALLOW]


async def test_a_watch_ends_with_its_deadline(face: Face, server: FakeServer) -> None:
    server.script(HELD)
    held = await face.moderate(b"card")
    started = time.monotonic()
    with pytest.raises((DeadlineExceeded, Unavailable)):
        await collect(face, held.name, timeout=0.5)
    assert 0.3 < time.monotonic() - started < 5.0


async def test_a_server_that_is_not_there_is_waited_for_until_the_deadline(make: Make) -> None:
    client = make("127.0.0.1:1", timeout=1.0)
    started = time.monotonic()
    with pytest.raises((DeadlineExceeded, Unavailable)):
        await collect(client, "verdicts/x")
    assert time.monotonic() - started < 5.0
    await client.close()


async def test_no_verdict_but_a_hold_is_ever_pending(face: Face, server: FakeServer) -> None:
    server.script(verdict(Decision.ALLOW, pending=True))
    assert not (await face.moderate(b"card")).pending


@pytest.mark.parametrize("urgency", [None, *Urgency])
async def test_the_urgency_reaches_the_server(face: Face, server: FakeServer, urgency: Urgency | None) -> None:
    await face.moderate(b"card", urgency=urgency)
    assert [result.allowed async for result in face.moderate_stream([Item(b"card", urgency=urgency)])] == [True]
    expected = moderation_pb2.Urgency.Value(f"URGENCY_{urgency.name if urgency else 'UNSPECIFIED'}")
    assert [received.request.urgency for received in server.received] == [expected, expected]


async def test_an_urgency_that_is_none_is_the_programs_mistake(face: Face) -> None:
    with pytest.raises(TypeError, match="urgency"):
        await face.gate(b"card", urgency="rescan")
