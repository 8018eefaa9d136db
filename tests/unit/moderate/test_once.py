"""The same question is asked of the models once."""

from __future__ import annotations

import asyncio
from dataclasses import fields, replace

import pytest

from gatepost_server.domain.decision import ModerationRequest, Turn
from gatepost_server.moderate.once import Once, digested, fingerprint
from tests.builders import request
from tests.unit.records.backlog_contract import allowed

CHANGED = {
    "request_id": "other",
    "image": b"other",
    "prompt": "other",
    "expected_text": ("other",),
    "turns": (Turn("user", "other"),),
    "turn_count": 7,
    "locale": "zh",
    "policy": "strict",
    "labels": {"key": "other"},
    "want_embedding": True,
    "tenant": "other",
    "subject": "u1",
}


class Work:
    """Work that ends when the test says so, and counts how often it began."""

    def __init__(self) -> None:
        self.began = 0
        self.cancelled = 0
        self.end: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self.hurry: asyncio.Event | None = None

    async def __call__(self, hurry: asyncio.Event):
        self.began += 1
        self.hurry = hurry
        try:
            return await asyncio.shield(self.end)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


def begin(once: Once, work: Work, key: bytes = b"key", **options):
    return asyncio.ensure_future(once.run(key, work, **options))


@pytest.mark.parametrize("field", [field.name for field in fields(ModerationRequest) if field.name != "image_sha256"])
def test_a_request_that_differs_in_anything_is_another_question(field):
    before = fingerprint(digested(request()))
    assert fingerprint(digested(request())) == before
    assert fingerprint(digested(replace(request(), **{field: CHANGED[field]}))) != before


def test_the_order_of_labels_does_not_matter():
    assert fingerprint(request(labels={"a": "1", "b": "2"})) == fingerprint(request(labels={"b": "2", "a": "1"}))


async def test_those_who_ask_at_the_same_time_share_the_work_and_its_verdict():
    once, work = Once(window_s=60.0), Work()
    calls = [begin(once, work) for _ in range(5)]
    other = begin(once, work, b"other")
    await asyncio.sleep(0)
    work.end.set_result(allowed())
    verdicts = await asyncio.gather(*calls, other)
    assert all(verdict is verdicts[0] for verdict in verdicts)
    assert work.began == 2  # one for each key
    assert once.known(b"key") == verdicts[0].name


async def test_the_name_is_remembered_for_the_window_and_no_longer():
    now = 0.0
    once, work = Once(window_s=60.0, clock=lambda: now), Work()
    work.end.set_result(allowed())
    await once.run(b"key", work)
    now = 59.0
    assert once.known(b"key") == "verdicts/1"
    now = 61.0
    assert once.known(b"key") is None


async def test_an_error_reaches_all_who_wait_and_is_not_remembered():
    once, work = Once(window_s=60.0), Work()
    calls = [begin(once, work) for _ in range(2)]
    await asyncio.sleep(0)
    work.end.set_exception(ValueError("no"))
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(result) for result in results] == [ValueError, ValueError]
    assert once.known(b"key") is None


async def test_the_work_ends_with_the_last_who_waits_for_it_and_not_before():
    once, work = Once(window_s=60.0), Work()
    first, second = begin(once, work), begin(once, work)
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait({first})
    assert not work.cancelled
    second.cancel()
    await asyncio.wait({second})
    await asyncio.sleep(0)
    assert work.cancelled == 1


async def test_whoever_comes_while_abandoned_work_ends_gets_work_of_their_own():
    once, abandoned, work = Once(window_s=60.0), Work(), Work()
    first = begin(once, abandoned)
    await asyncio.sleep(0)
    first.add_done_callback(lambda _: calls.append(begin(once, work)))
    calls = []
    first.cancel()
    await asyncio.wait({first})
    await asyncio.sleep(0)
    work.end.set_result(allowed())
    assert (await calls[0]).name == "verdicts/1"
    assert once.known(b"key") == "verdicts/1"


async def test_a_joiner_with_less_time_hurries_the_work_and_the_first_does_not():
    once, work = Once(window_s=60.0), Work()
    calls = [begin(once, work, patience_s=0.0)]
    await asyncio.sleep(0.01)
    assert not work.hurry.is_set()
    calls.append(begin(once, work, patience_s=0.01))
    await asyncio.wait_for(work.hurry.wait(), 5.0)
    work.end.set_result(allowed())
    assert len({id(verdict) for verdict in await asyncio.gather(*calls)}) == 1


async def test_a_joiner_who_left_hurries_nobody():
    once, work = Once(window_s=60.0), Work()
    first, second = begin(once, work), begin(once, work, patience_s=0.02)
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.sleep(0.05)
    assert not work.hurry.is_set()
    work.end.set_result(allowed())
    await first


async def test_all_that_runs_and_all_that_begins_can_be_hurried():
    once, running, later = Once(window_s=60.0), Work(), Work()
    calls = [begin(once, running)]
    await asyncio.sleep(0.01)
    once.hurry()
    assert running.hurry.is_set()
    calls.append(begin(once, later, b"later"))
    await asyncio.sleep(0.01)
    assert later.hurry.is_set()
    for work in (running, later):
        work.end.set_result(allowed())
    await asyncio.gather(*calls)
