"""ModerateStream over a real socket: order, duplicates, flow control, vanishing clients, draining."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from structlog.testing import capture_logs

from gatepost.v1 import moderation_pb2 as wire
from gatepost.v1 import verdict_pb2
from gatepost_server.scoring.base import Priority
from tests.gateways import opened, opened_stream_error, refused, running_gateway, script, stream_request


async def answers(call) -> list[wire.ModerateStreamResponse]:
    return [answer async for answer in call]


async def test_answers_come_as_they_are_ready_and_are_matched_by_id():
    async with running_gateway() as gateway:
        sent = [stream_request("slow", script(delay_s=0.3)), stream_request("fast")]
        got = await answers(gateway.moderation.ModerateStream(iter(sent)))
        assert [answer.request_id for answer in got] == ["fast", "slow"]
        assert all(answer.verdict.decision == verdict_pb2.DECISION_ALLOW for answer in got)
        assert set(gateway.scorer.priorities) == {Priority.RESCAN}


async def test_one_images_failure_ends_nothing_else():
    async with running_gateway() as gateway:
        bad = script(error={"code": "INVALID_ARGUMENT", "reason": "IMAGE_CORRUPT", "field": "image"})
        sent = [stream_request(f"r{i}", bad if i % 2 else b"png") for i in range(10)]
        sent.append(wire.ModerateStreamRequest(request=wire.ModerateRequest(request_id="none")))
        sent.append(stream_request("policy", policy="nope"))
        got = {answer.request_id: answer for answer in await answers(gateway.moderation.ModerateStream(iter(sent)))}
        assert len(got) == 12
        for index in range(10):
            assert got[f"r{index}"].WhichOneof("result") == ("error" if index % 2 else "verdict")
        refusal = opened_stream_error(got["r1"].error)
        assert (refusal.code, refusal.info.reason, refusal.fields) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "IMAGE_CORRUPT",
            ["image"],
        )
        assert opened_stream_error(got["none"].error).info.reason == "IMAGE_MISSING"
        assert opened_stream_error(got["policy"].error).info.reason == "POLICY_UNKNOWN"


async def test_duplicate_and_missing_ids_are_refused_and_the_first_is_still_judged():
    async with running_gateway() as gateway:
        sent = [stream_request("same", script(delay_s=0.3)), stream_request("same"), stream_request("")]
        got = await answers(gateway.moderation.ModerateStream(iter(sent)))
        told = [opened_stream_error(answer.error) for answer in got[:2]]
        assert [(each.info.reason, each.fields) for each in told] == [
            ("REQUEST_ID_DUPLICATE", ["request_id"]),
            ("FIELD_INVALID", ["request_id"]),
        ]
        assert (got[2].request_id, got[2].WhichOneof("result")) == ("same", "verdict")
        assert len(gateway.scorer.priorities) == 1


async def test_an_id_may_be_used_again_once_it_is_answered():
    async with running_gateway() as gateway:
        call = gateway.moderation.ModerateStream()
        for _ in range(2):
            await call.write(stream_request("same"))
            assert (await call.read()).WhichOneof("result") == "verdict"
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF


async def test_a_message_that_is_not_utf8_is_answered_and_the_stream_goes_on():
    async with running_gateway() as gateway:
        raw = gateway.channel.stream_stream(
            "/gatepost.v1.ModerationService/ModerateStream",
            response_deserializer=wire.ModerateStreamResponse.FromString,
        )
        bad = stream_request("bad", prompt="ppp").SerializeToString().replace(b"ppp", b"\xff\xff\xff")
        got = await answers(raw(iter([bad, stream_request("good").SerializeToString()])))
        by_kind = {answer.WhichOneof("result"): answer for answer in got}
        assert by_kind["verdict"].request_id == "good"
        assert opened_stream_error(by_kind["error"].error).info.reason == "TEXT_NOT_UTF8"


async def test_a_client_that_does_not_read_is_not_read_either():
    padding = " " * (1 << 20)
    async with running_gateway(stream_window=4) as gateway:
        sent = 0

        async def requests():
            nonlocal sent
            for index in range(200):
                yield stream_request(f"r{index}", script(lines=[{"text": "x" * 300_000}]) + padding.encode(),
                                     extras=wire.Extras(evidence=True))  # fmt: skip
                sent = index + 1

        call = gateway.moderation.ModerateStream(requests())
        first = await call.read()
        assert first.verdict.lines
        await asyncio.sleep(1.5)
        judged = len(gateway.scorer.priorities)
        await asyncio.sleep(0.5)
        assert len(gateway.scorer.priorities) == judged  # it stands still
        assert judged < 40
        assert sent < 60  # what is neither read nor judged is in the network's buffers
        assert gateway.scorer.most_in_flight <= 4
        read = 1
        while await call.read() is not grpc.aio.EOF:  # and goes on when the client reads
            read += 1
        assert read == 200


async def test_a_client_that_vanishes_while_answers_wait_for_it_leaves_nothing_running(capfd):
    async with running_gateway(stream_window=4) as gateway:
        large = script(lines=[{"text": "x" * 900_000}])
        sent = [stream_request(f"r{i}", large, extras=wire.Extras(evidence=True)) for i in range(50)]
        call = gateway.moderation.ModerateStream(iter(sent))
        await call.read()
        await asyncio.sleep(0.5)
        call.cancel()
        async with asyncio.timeout(5.0):
            while gateway.scorer.in_flight:
                await asyncio.sleep(0.01)
        assert (await gateway.moderation.Moderate(wire.ModerateRequest(image=b"x"))).verdict.name
    assert "internal_error" not in capfd.readouterr().out


async def test_streams_wait_for_a_place_instead_of_failing_and_leave_room_for_single_requests():
    async with running_gateway(max_images_in_flight=3, max_stream_images_in_flight=2) as gateway:
        # Ids of their own: the same id with the same content would be judged once for all three.
        sent = [[stream_request(f"s{s}-r{i}", script(delay_s=0.05)) for i in range(20)] for s in range(3)]
        streams = [asyncio.ensure_future(answers(gateway.moderation.ModerateStream(iter(each)))) for each in sent]
        while gateway.scorer.in_flight < 2:
            await asyncio.sleep(0.01)
        single = await gateway.moderation.Moderate(wire.ModerateRequest(image=b"x"))
        assert single.verdict.name
        got = [answer for stream in streams for answer in await stream]
        assert len(got) == 60
        assert all(answer.HasField("verdict") for answer in got)
        assert gateway.scorer.most_in_flight <= 3


async def test_a_vanishing_client_cancels_all_its_work():
    async with running_gateway(background_images=5) as gateway:
        call = gateway.moderation.ModerateStream(iter([stream_request(f"r{i}", script(delay_s=30)) for i in range(5)]))
        while gateway.scorer.in_flight < 5:
            await asyncio.sleep(0.01)
        call.cancel()
        async with asyncio.timeout(5.0):
            while gateway.scorer.in_flight:
                await asyncio.sleep(0.01)
        assert gateway.scorer.cancelled == 5
        assert (await gateway.moderation.Moderate(wire.ModerateRequest(image=b"x"))).verdict.name


async def test_an_endless_id_or_locale_is_refused_and_not_logged_whole():
    endless = stream_request("i" * 100_000, locale="en-x-" + "-".join(["l" * 8] * 10_000))
    async with running_gateway() as gateway:
        with capture_logs() as logs:
            (got,) = await answers(gateway.moderation.ModerateStream(iter([endless])))
    refusal = opened_stream_error(got.error)
    assert got.request_id == endless.request.request_id
    assert (refusal.code, refusal.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["request_id"])
    assert got.error.ByteSize() < 2_000
    assert [entry["event"] for entry in logs].count("refused") == 1
    assert all(len(str(entry)) < 2_000 for entry in logs)


async def test_too_many_streams_are_refused():
    async with running_gateway(max_streams=1) as gateway:
        first = gateway.moderation.ModerateStream()
        await first.write(stream_request("r"))
        await first.read()
        second = gateway.moderation.ModerateStream()
        refusal = await refused(second.read())
        assert (refusal.code, refusal.info.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
        await first.done_writing()
        assert await first.read() is grpc.aio.EOF


async def test_a_draining_gateway_answers_what_it_read_and_then_ends_the_stream():
    async with running_gateway() as gateway:
        call = gateway.moderation.ModerateStream()
        await call.write(stream_request("inside", script(delay_s=0.3)))
        while not gateway.scorer.in_flight:
            await asyncio.sleep(0.01)
        gateway.stop.set()
        answer = await call.read()
        assert (answer.request_id, answer.WhichOneof("result")) == ("inside", "verdict")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
        refusal = opened(caught.value)
        assert (refusal.code, refusal.info.reason) == (grpc.StatusCode.UNAVAILABLE, "DRAINING")
        assert refusal.retry_s
        await asyncio.wait_for(gateway.done, 5.0)
