"""Deadlines become HOLD over a real socket: in time, watched, durable, refused when there is no more room."""

from __future__ import annotations

import asyncio
import signal
import time

import grpc
import pytest

from gatepost.v1 import moderation_pb2 as wire
from gatepost.v1 import moderation_pb2_grpc, verdict_pb2
from gatepost_server.scoring.base import Priority
from tests.gateways import Gateway, opened_stream_error, refused, running_gateway, script, stream_request
from tests.integration.test_gateway_process import Process

SLOW = script(delay_s=0.6)

# A caller's deadline, and the gateway's margin under it: HOLD comes after 0.3 s, and in time on a loaded machine.
PATIENT_S = 10.0
MARGIN_S = PATIENT_S - 0.3


@pytest.fixture
def backlog(tmp_path):
    return str(tmp_path / "backlog.db")


async def moderate(gateway: Gateway, image: bytes, *, timeout: float | None = None, **fields) -> verdict_pb2.Verdict:
    request = wire.ModerateRequest(image=image, **fields)
    return (await gateway.moderation.Moderate(request, timeout=timeout)).verdict


async def watched(gateway: Gateway, name: str, **fields) -> list[verdict_pb2.Verdict]:
    call = gateway.moderation.WatchVerdict(wire.WatchVerdictRequest(name=name, **fields))
    return [answer.verdict async for answer in call]


async def test_a_deadline_that_cannot_be_met_is_a_hold_before_it_is_over(backlog):
    async with running_gateway(deadline_margin_s=MARGIN_S, backlog=backlog) as gateway:
        started = time.monotonic()
        held = await moderate(gateway, SLOW, timeout=PATIENT_S)
        assert time.monotonic() - started < PATIENT_S
        assert (held.decision, held.pending) == (verdict_pb2.DECISION_HOLD, True)
        assert [reason.code for reason in held.reasons] == [verdict_pb2.REASON_CODE_DEADLINE]
        assert not held.coverage.complete
        seen = await watched(gateway, held.name)
        assert [verdict.decision for verdict in seen] == [verdict_pb2.DECISION_HOLD, verdict_pb2.DECISION_ALLOW]
        assert [verdict.pending for verdict in seen] == [True, False]
        assert {verdict.name for verdict in seen} == {held.name}
        later = await gateway.moderation.GetVerdict(wire.GetVerdictRequest(name=held.name))
        assert later.verdict.decision == verdict_pb2.DECISION_ALLOW
        assert gateway.scorer.priorities == [Priority.INTERACTIVE, Priority.NEARLINE]


async def test_without_a_backlog_a_deadline_is_an_error_as_before():
    async with running_gateway(deadline_margin_s=MARGIN_S) as gateway:
        refusal = await refused(gateway.moderation.Moderate(wire.ModerateRequest(image=SLOW), timeout=PATIENT_S))
        assert refusal.code is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_an_image_of_a_stream_is_held_too(backlog):
    async with running_gateway(backlog=backlog, max_deadline_s=0.2) as gateway:
        call = gateway.moderation.ModerateStream(iter([stream_request("r", script(delay_s=0.3))]))
        (answer,) = [each async for each in call]
        assert (answer.request_id, answer.verdict.pending) == ("r", True)


async def test_a_held_verdict_draws_no_picture_and_costs_no_answer(backlog):
    async with running_gateway(deadline_margin_s=MARGIN_S, backlog=backlog) as gateway:
        extras = wire.Extras(evidence=True, annotated_image=True, embedding=True)
        held = await moderate(gateway, SLOW, timeout=PATIENT_S, extras=extras)
        assert (held.pending, held.annotated_image) == (True, b"")


async def test_a_verdict_that_is_final_is_sent_once_and_an_unknown_one_is_not_found(backlog):
    async with running_gateway(backlog=backlog) as gateway:
        allowed = await moderate(gateway, b"png")
        assert [verdict.decision for verdict in await watched(gateway, allowed.name)] == [allowed.decision]
        for name in ("verdicts/none", "", "x" * 1_000):
            refusal = await refused(gateway.moderation.WatchVerdict(wire.WatchVerdictRequest(name=name)).read())
            assert (refusal.code, refusal.info.reason) == (grpc.StatusCode.NOT_FOUND, "VERDICT_UNKNOWN")


async def test_a_watch_asks_for_no_picture_that_nobody_kept(backlog):
    async with running_gateway(backlog=backlog) as gateway:
        extras = wire.Extras(annotated_image=True)
        call = gateway.moderation.WatchVerdict(wire.WatchVerdictRequest(name="verdicts/x", extras=extras))
        assert (await refused(call.read())).fields == ["extras.annotated_image"]


async def test_a_full_backlog_answers_resource_exhausted_with_a_time_to_retry(backlog):
    async with running_gateway(backlog=backlog, backlog_images=2) as gateway:
        gateway.scorer.is_ready = False
        for number in range(2):
            assert (await moderate(gateway, b"png", request_id=f"r-{number}")).pending
        refusal = await refused(gateway.moderation.Moderate(wire.ModerateRequest(image=b"png", request_id="r-2")))
        assert (refusal.code, refusal.info.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "BACKLOG_FULL")
        assert refusal.retry_s
        assert refusal.localized
        (answer,) = [each async for each in gateway.moderation.ModerateStream(iter([stream_request("r-3")]))]
        assert opened_stream_error(answer.error).info.reason == "BACKLOG_FULL"


async def test_the_same_id_and_bytes_get_the_same_verdict_computed_once(backlog):
    async with running_gateway(backlog=backlog) as gateway:
        image = script(delay_s=0.1)
        same = await asyncio.gather(*(moderate(gateway, image, request_id="r") for _ in range(5)))
        same.append(await moderate(gateway, image, request_id="r"))
        assert len({verdict.name for verdict in same}) == 1
        assert len(gateway.scorer.priorities) == 1
        others = [await moderate(gateway, b"other", request_id="r"), await moderate(gateway, image, request_id="s")]
        others.append(await moderate(gateway, image, request_id="r", prompt="asked for something else"))
        assert len({verdict.name for verdict in [same[0], *others]}) == 4


async def test_the_window_of_the_same_request_ends():
    async with running_gateway(same_request_s=0.2) as gateway:
        first = await moderate(gateway, b"png", request_id="r")
        await asyncio.sleep(0.3)
        assert (await moderate(gateway, b"png", request_id="r")).name != first.name


async def test_what_a_caller_says_of_urgency_reaches_the_models(backlog):
    async with running_gateway(backlog=backlog) as gateway:
        await moderate(gateway, b"1", urgency=wire.URGENCY_RESCAN)
        await moderate(gateway, b"2", urgency=wire.URGENCY_NEARLINE)
        await moderate(gateway, b"3", urgency=99)  # of a later version
        urgent = [stream_request("r", b"4", urgency=wire.URGENCY_INTERACTIVE)]
        assert [each.HasField("verdict") async for each in gateway.moderation.ModerateStream(iter(urgent))] == [True]
        asked = [Priority.RESCAN, Priority.NEARLINE, Priority.INTERACTIVE, Priority.INTERACTIVE]
        assert gateway.scorer.priorities == asked


async def test_too_many_watches_are_refused_and_a_watcher_that_left_makes_room(backlog):
    async with running_gateway(backlog=backlog, max_watches=1) as gateway:
        gateway.scorer.is_ready = False
        held = await moderate(gateway, b"png")
        first = gateway.moderation.WatchVerdict(wire.WatchVerdictRequest(name=held.name))
        await first.read()
        again = wire.WatchVerdictRequest(name=held.name)
        assert (await refused(gateway.moderation.WatchVerdict(again).read())).info.reason == "OVERLOADED"
        first.cancel()
        gateway.scorer.is_ready = True
        async with asyncio.timeout(5.0):
            while True:
                try:
                    seen = await watched(gateway, held.name)
                    break
                except grpc.aio.AioRpcError:
                    await asyncio.sleep(0.02)
        assert seen[-1].decision == verdict_pb2.DECISION_ALLOW


async def test_a_gateway_that_drains_tells_watchers_to_come_again(backlog):
    async with running_gateway(backlog=backlog) as gateway:
        gateway.scorer.is_ready = False
        held = await moderate(gateway, b"png")
        call = gateway.moderation.WatchVerdict(wire.WatchVerdictRequest(name=held.name))
        await call.read()
        gateway.stop.set()
        refusal = await refused(call.read())
        assert (refusal.code, refusal.info.reason) == (grpc.StatusCode.UNAVAILABLE, "DRAINING")
        assert refusal.retry_s


@pytest.mark.integration
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_what_was_accepted_outlives_the_gateway(backlog, number):
    """The first gateway ends with accepted work under way; the second delivers it."""
    environment = {"GATEPOST_GATEWAY_BACKLOG": backlog, "GATEPOST_GATEWAY_GRACE_S": "1"}
    environment["GATEPOST_GATEWAY_DEADLINE_MARGIN_S"] = str(MARGIN_S)
    first, second = Process(**environment), None
    try:
        with grpc.insecure_channel(first.address()) as channel:
            stub = moderation_pb2_grpc.ModerationServiceStub(channel)
            requests = [wire.ModerateRequest(image=script(delay_s=1.5), request_id=f"r-{n}") for n in range(6)]
            calls = [stub.Moderate.future(request, timeout=PATIENT_S) for request in requests]
            names = [call.result().verdict.name for call in calls]
            time.sleep(0.3)
            first.send(number)
        first.wait()
        second = Process(**environment)
        with grpc.insecure_channel(second.address()) as channel:
            stub = moderation_pb2_grpc.ModerationServiceStub(channel)
            for name in names:
                *_, last = stub.WatchVerdict(wire.WatchVerdictRequest(name=name), timeout=20.0)
                assert last.verdict.decision == verdict_pb2.DECISION_ALLOW
    finally:
        first.close()
        if second is not None:
            second.close()


@pytest.mark.integration
def test_a_gateway_that_is_told_to_stop_holds_what_it_cannot_finish(backlog):
    process = Process(GATEPOST_GATEWAY_BACKLOG=backlog, GATEPOST_GATEWAY_GRACE_S="1")
    try:
        with grpc.insecure_channel(process.address()) as channel:
            stub = moderation_pb2_grpc.ModerationServiceStub(channel)
            inside = stub.Moderate.future(wire.ModerateRequest(image=script(delay_s=25)))
            time.sleep(0.5)
            process.send(signal.SIGTERM)
            held = inside.result(timeout=5.0).verdict
            assert (held.decision, held.pending) == (verdict_pb2.DECISION_HOLD, True)
        assert process.wait() == 0
    finally:
        process.close()


@pytest.mark.integration
def test_a_backlog_that_cannot_be_opened_keeps_the_gateway_from_starting(tmp_path):
    folder = tmp_path / "backlog.db"
    folder.mkdir()
    process = Process(GATEPOST_GATEWAY_BACKLOG=str(folder))
    assert process.wait() != 0


@pytest.mark.integration
def test_the_password_in_a_database_url_never_reaches_the_log(tmp_path):
    process = Process(GATEPOST_GATEWAY_BACKLOG=f"sqlite:///{tmp_path}/x.db?password=hunter2")
    try:
        process.address()
        process.send(signal.SIGTERM)
        process.wait()
        assert "hunter2" not in "".join(process.lines)
    finally:
        process.close()
