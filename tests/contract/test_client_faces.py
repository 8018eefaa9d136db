"""What the blocking and the async client promise alike, against a real gRPC server."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import grpc
import pytest
from PIL import Image

from gatepost.v1 import policy_pb2, verdict_pb2
from gatepost_client import (
    AsyncClient,
    Category,
    DeadlineExceeded,
    Decision,
    GatepostError,
    Health,
    ImageUri,
    InvalidRequest,
    Item,
    NotFound,
    Overloaded,
    PermissionDenied,
    ReasonCode,
    ServerError,
    TicketKeys,
    Turn,
    Unauthenticated,
    Unavailable,
    Verdict,
)
from gatepost_client.testing import Delayed, Failure, FakeServer, verdict
from tests.contract.client_faces import Face, Make, faces

IMAGE = b"any bytes: the fake server does not look"
OVERLOADED = Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
DRAINING = Failure(grpc.StatusCode.UNAVAILABLE, "DRAINING")


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as fake:
        yield fake


@pytest.fixture(params=faces().items(), ids=lambda entry: entry[0])
def make(request: pytest.FixtureRequest) -> Make:
    return request.param[1]


@pytest.fixture
async def face(make: Make, server: FakeServer) -> AsyncIterator[Face]:
    client = make(server.target)
    yield client
    await client.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# --- one image ------------------------------------------------------------------------------------


async def test_a_verdict_comes_back_as_the_sdks_own_value(face: Face, server: FakeServer) -> None:
    server.script(verdict(Decision.BLOCK, Category.INSULT, text="去死吧", score=0.97, threshold=0.8))
    answer = await face.moderate(IMAGE, request_id="card-7")
    assert (answer.decision, answer.allowed, answer.request_id) == (Decision.BLOCK, False, "card-7")
    assert answer.lines[0].text == "去死吧"
    assert answer.scores[Category.INSULT] == pytest.approx(0.97)
    assert answer.reasons[0].code is ReasonCode.SCORE
    assert answer.reasons[0].threshold == pytest.approx(0.8)


async def test_everything_that_is_known_of_an_image_reaches_the_server(face: Face, server: FakeServer) -> None:
    await face.moderate(
        IMAGE,
        prompt="新年贺卡",
        expected_text=["新年快乐", "仕途顺遂"],
        turns=[Turn("user", "draw a card"), Turn("assistant", "here")],
        turn_count=9,
        locale="zh-CN",
        policy="strict",
        labels={"app": "cards"},
        evidence=False,
        embedding=True,
        annotated_image=True,
        record=True,
    )
    request = server.received[0].request
    assert request.image == IMAGE
    assert request.prompt == "新年贺卡"
    assert list(request.expected_text) == ["新年快乐", "仕途顺遂"]
    assert [(turn.role, turn.text) for turn in request.turns] == [(1, "draw a card"), (2, "here")]
    assert (request.turn_count, request.locale, request.policy) == (9, "zh-CN", "strict")
    assert dict(request.labels) == {"app": "cards"}
    assert (request.extras.evidence, request.extras.embedding, request.extras.annotated_image) == (False, True, True)
    assert request.extras.record
    assert request.request_id


async def test_images_are_taken_from_files_pillow_and_uris(face: Face, server: FakeServer, tmp_path: Path) -> None:
    file = tmp_path / "card.png"
    Image.new("RGB", (4, 3), "red").save(file)
    for source in (file, str(file), Image.open(file), ImageUri("s3://cards/1.png")):
        await face.moderate(source)
    sent = [received.request for received in server.received]
    assert sent[0].image == sent[1].image == file.read_bytes()
    assert sent[2].image.startswith(b"\x89PNG")
    assert (sent[3].image_uri, sent[3].image) == ("s3://cards/1.png", b"")


async def test_a_decision_that_is_not_known_is_a_hold(face: Face, server: FakeServer) -> None:
    unknown, missing = verdict(), verdict()
    unknown.decision = 99  # type: ignore[assignment]
    missing.decision = verdict_pb2.DECISION_UNSPECIFIED
    server.script(unknown, missing)
    for _ in range(2):
        answer = await face.moderate(IMAGE)
        assert answer.decision is Decision.HOLD
        assert not answer.allowed


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, InvalidRequest),
        (grpc.StatusCode.NOT_FOUND, NotFound),
        (grpc.StatusCode.UNAUTHENTICATED, Unauthenticated),
        (grpc.StatusCode.PERMISSION_DENIED, PermissionDenied),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, Overloaded),
        (grpc.StatusCode.DEADLINE_EXCEEDED, DeadlineExceeded),
        (grpc.StatusCode.UNAVAILABLE, Unavailable),
        (grpc.StatusCode.INTERNAL, ServerError),
    ],
)
async def test_a_status_is_a_typed_error_with_its_details(
    make: Make, server: FakeServer, code: grpc.StatusCode, kind: type[GatepostError]
) -> None:
    client = make(server.target, retries=0)
    server.script(Failure(code, "SOME_REASON", "what happened", "image", 1.25, "please wait"))
    with pytest.raises(kind) as caught:
        await client.moderate(IMAGE, request_id="card-7")
    await client.close()
    error = caught.value
    assert type(error) is kind
    assert (error.code, error.reason, error.message) == (code, "SOME_REASON", "what happened")
    assert (error.field, error.retry_after, error.request_id) == ("image", 1.25, "card-7")
    assert error.user_message == "please wait"


# --- retries --------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [OVERLOADED, DRAINING])
async def test_two_refusals_are_retried_under_one_request_id(face: Face, server: FakeServer, failure: Failure) -> None:
    server.script(failure, failure, verdict())
    assert (await face.moderate(IMAGE)).allowed
    assert len({received.request.request_id for received in server.received}) == 1
    assert len(server.received) == 3


async def test_the_third_refusal_is_the_answer(face: Face, server: FakeServer) -> None:
    server.script(OVERLOADED, OVERLOADED, OVERLOADED)
    with pytest.raises(Overloaded):
        await face.moderate(IMAGE)
    assert len(server.received) == 3


async def test_what_cannot_get_better_is_not_retried(face: Face, server: FakeServer) -> None:
    server.script(Failure(grpc.StatusCode.INVALID_ARGUMENT, "IMAGE_CORRUPT", field="image"))
    with pytest.raises(InvalidRequest):
        await face.moderate(IMAGE)
    assert len(server.received) == 1


async def test_no_retry_comes_before_the_server_asked_for_it(face: Face, server: FakeServer) -> None:
    server.script(Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", retry_after=0.4))
    started = time.monotonic()
    assert (await face.moderate(IMAGE)).allowed
    assert time.monotonic() - started >= 0.4


async def test_a_retry_that_could_only_come_after_the_deadline_is_not_waited_for(
    face: Face, server: FakeServer
) -> None:
    server.script(Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", retry_after=30))
    started = time.monotonic()
    with pytest.raises(Overloaded) as caught:
        await face.moderate(IMAGE, timeout=20)
    assert time.monotonic() - started < 10
    assert caught.value.retry_after == 30


async def test_the_deadline_covers_all_attempts_together(face: Face, server: FakeServer) -> None:
    server.script(Delayed(0.2, DRAINING), Delayed(60, verdict()))
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        await face.moderate(IMAGE, timeout=0.7)
    assert 0.6 < time.monotonic() - started < 10


async def test_a_server_that_comes_back_is_found_again(face: Face, server: FakeServer) -> None:
    assert (await face.gate(IMAGE)).allowed
    await asyncio.to_thread(server.close)
    assert not (await face.gate(IMAGE)).allowed
    server.start()
    deadline = time.monotonic() + 10
    while not (await face.gate(IMAGE)).allowed:
        assert time.monotonic() < deadline


# --- the gate -------------------------------------------------------------------------------------


def assert_held(answer: Verdict, kind: type[GatepostError], code: ReasonCode, detail: str) -> None:
    assert answer.decision is Decision.HOLD
    assert not answer.allowed
    assert type(answer.error) is kind
    assert answer.request_id == answer.error.request_id != ""
    assert [(reason.code, reason.decision, reason.detail) for reason in answer.reasons] == [
        (code, Decision.HOLD, detail)
    ]


async def test_the_gate_holds_when_no_server_is_there(make: Make) -> None:
    client = make(f"127.0.0.1:{free_port()}")
    assert_held(await client.gate(IMAGE), Unavailable, ReasonCode.REQUEST_FAILED, "UNAVAILABLE")
    await client.close()


async def test_the_gate_holds_when_the_name_cannot_be_resolved(make: Make) -> None:
    client = make("no-such-host.invalid:50051", timeout=2)
    assert (await client.gate(IMAGE)).decision is Decision.HOLD
    await client.close()


async def test_the_gate_holds_when_the_server_hangs(face: Face, server: FakeServer) -> None:
    server.script(Delayed(60, verdict()))
    answer = await face.gate(IMAGE, timeout=0.3)
    assert_held(answer, DeadlineExceeded, ReasonCode.DEADLINE, "DEADLINE_EXCEEDED")


async def test_the_gate_holds_when_what_listens_is_no_grpc_server(make: Make) -> None:
    async def answer_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nALLOW")
        await writer.drain()
        writer.close()

    nonsense = await asyncio.start_server(answer_nonsense, "127.0.0.1", 0)
    async with nonsense:
        client = make(f"127.0.0.1:{nonsense.sockets[0].getsockname()[1]}", timeout=2)
        assert (await client.gate(IMAGE)).decision is Decision.HOLD
        await client.close()


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
async def test_the_gate_holds_for_every_status(make: Make, server: FakeServer, code: grpc.StatusCode) -> None:
    client = make(server.target, retries=0)
    server.script(Failure(code, "SOME_REASON"))
    answer = await client.gate(IMAGE)
    await client.close()
    assert answer.decision is Decision.HOLD
    assert answer.reasons[0].detail == "SOME_REASON"
    assert answer.error is not None
    assert answer.error.code is code


async def test_the_gate_holds_without_the_right_token(make: Make) -> None:
    with FakeServer(token="secret") as server:
        stranger, friend = make(server.target, token="guess"), make(server.target, token=lambda: "secret")
        assert_held(await stranger.gate(IMAGE), Unauthenticated, ReasonCode.REQUEST_FAILED, "TOKEN_INVALID")
        assert (await friend.gate(IMAGE)).allowed
        await stranger.close()
        await friend.close()


async def test_the_gate_holds_images_that_cannot_be_read(face: Face, server: FakeServer, tmp_path: Path) -> None:
    Image.new("RGB", (64, 64), "red").save(tmp_path / "whole.png")
    (tmp_path / "half.png").write_bytes((tmp_path / "whole.png").read_bytes()[:60])
    with Image.open(tmp_path / "half.png") as half:
        for source, reason in (
            (tmp_path / "missing.png", "FILE_NOT_FOUND"),
            (tmp_path, "FILE_UNREADABLE"),
            ("nul\0.png", "FILE_UNREADABLE"),
            (b"", "IMAGE_EMPTY"),
            (half, "IMAGE_CORRUPT"),
            (Image.new("RGB", (0, 5)), "IMAGE_ZERO_SIZE"),
        ):
            assert_held(await face.gate(source), InvalidRequest, ReasonCode.REQUEST_FAILED, reason)
    assert not server.received


async def test_the_gate_holds_text_that_is_not_unicode(face: Face, server: FakeServer) -> None:
    answer = await face.gate(IMAGE, prompt="\ud800")
    assert_held(answer, InvalidRequest, ReasonCode.REQUEST_FAILED, "TEXT_NOT_UTF8")


async def test_the_gate_holds_what_is_longer_than_may_be_sent(make: Make, server: FakeServer) -> None:
    client = make(server.target, max_message_bytes=1000)
    too_large = await client.gate(b"x" * 1001)
    assert_held(too_large, InvalidRequest, ReasonCode.REQUEST_FAILED, "IMAGE_TOO_LARGE")
    too_long = await client.gate(b"x" * 900, prompt="y" * 200)
    assert_held(too_long, InvalidRequest, ReasonCode.REQUEST_FAILED, "MESSAGE_TOO_LARGE")
    annotated = verdict()
    annotated.annotated_image = b"x" * 2000
    server.script(annotated)
    answer_too_long = await client.gate(IMAGE)
    assert_held(answer_too_long, InvalidRequest, ReasonCode.REQUEST_FAILED, "MESSAGE_TOO_LARGE")
    assert len(server.received) == 1
    await client.close()


async def test_a_held_verdict_does_not_keep_the_image_in_memory(face: Face, server: FakeServer) -> None:
    server.script(Failure(grpc.StatusCode.INTERNAL))
    answer = await face.gate(IMAGE)
    assert answer.error is not None
    assert answer.error.__traceback__ is None
    assert answer.error.__cause__ is None
    assert answer.error.__context__ is None


@pytest.mark.parametrize(
    ("image", "options"),
    [
        (42, {}),
        (None, {}),
        (IMAGE, {"prompt": 42}),
        (IMAGE, {"expected_text": "one string"}),
        (IMAGE, {"turns": [("user", "hi")]}),
        (IMAGE, {"labels": {"a": 1}}),
        (IMAGE, {"no_such_option": 1}),
    ],
)
async def test_only_mistakes_of_the_program_are_raised_from_the_gate(face: Face, image: object, options: dict) -> None:
    with pytest.raises(TypeError):
        await face.gate(image, **options)  # type: ignore[arg-type]


# --- many images ----------------------------------------------------------------------------------


async def test_a_stream_answers_as_verdicts_come(face: Face, server: FakeServer) -> None:
    server.default = lambda request: Delayed(float(request.prompt), verdict())
    items = [Item(IMAGE, prompt=prompt) for prompt in ("0.4", "0.2", "0")]
    assert [result.index async for result in face.moderate_stream(items)] == [2, 1, 0]


async def test_an_ordered_stream_keeps_the_order_of_its_input(face: Face, server: FakeServer) -> None:
    server.default = lambda request: Delayed(float(request.prompt), verdict())
    items = [Item(IMAGE, prompt=prompt) for prompt in ("0.4", "0.2", "0")]
    results = [result async for result in face.moderate_stream(items, ordered=True)]
    assert [result.item.prompt for result in results] == ["0.4", "0.2", "0"]
    assert all(result.allowed for result in results)


@pytest.mark.parametrize("ordered", [False, True])
async def test_a_stream_never_holds_more_than_its_window(face: Face, server: FakeServer, ordered: bool) -> None:
    taken = handed_out = most = 0

    def images() -> Iterator[bytes]:
        nonlocal taken, most
        for _ in range(200):
            taken += 1
            most = max(most, taken - handed_out)
            yield IMAGE

    server.default = lambda request: Delayed(hash(request.request_id) % 5 / 1000, verdict())
    async for result in face.moderate_stream(images(), window=7, ordered=ordered):
        assert result.allowed
        handed_out += 1
    assert handed_out == 200
    # The image being taken is counted too, before the one it makes room for can be.
    assert 2 <= most <= 8


async def test_an_endless_stream_may_be_left(face: Face, server: FakeServer) -> None:
    def images() -> Iterator[bytes]:
        while True:
            yield IMAGE

    stream = face.moderate_stream(images(), window=4)
    assert (await anext(stream)).allowed
    await stream.aclose()  # type: ignore[attr-defined]
    assert len(server.received) < 50
    assert (await face.moderate(IMAGE)).allowed


async def test_a_server_that_does_not_end_a_stream_does_not_keep_its_caller(face: Face, server: FakeServer) -> None:
    server.script(verdict(), Delayed(60, verdict()))
    stream = face.moderate_stream([IMAGE] * 2, stall_timeout=0.3)
    started = time.monotonic()
    results = [result async for result in stream]
    assert [result.error is None for result in results] == [True, False]
    assert time.monotonic() - started < 20


async def test_one_bad_image_does_not_sink_its_neighbours(face: Face, server: FakeServer, tmp_path: Path) -> None:
    server.default = lambda request: (
        Failure(grpc.StatusCode.INVALID_ARGUMENT, "IMAGE_CORRUPT", field="image")
        if request.image == b"bad"
        else verdict()
    )
    images = [IMAGE, b"bad", tmp_path / "missing.png", b"", IMAGE]
    results = [result async for result in face.moderate_stream(images, ordered=True)]
    assert [result.error.reason if result.error else "" for result in results] == [
        "",
        "IMAGE_CORRUPT",
        "FILE_NOT_FOUND",
        "IMAGE_EMPTY",
        "",
    ]
    assert [result.allowed for result in results] == [True, False, False, False, True]
    assert all(result.error.request_id == result.request_id for result in results if result.error)


async def test_an_empty_stream_ends_at_once(face: Face) -> None:
    assert [result async for result in face.moderate_stream([])] == []


async def test_the_async_client_streams_from_async_iterables(server: FakeServer) -> None:
    async def images() -> AsyncIterator[bytes]:
        for _ in range(3):
            await asyncio.sleep(0.01)
            yield IMAGE

    async with AsyncClient(server.target) as client:
        assert [result.index async for result in client.moderate_stream(images(), ordered=True)] == [0, 1, 2]


async def test_images_of_a_stream_are_retried_one_by_one(face: Face, server: FakeServer) -> None:
    server.script(OVERLOADED, verdict(), OVERLOADED, verdict())
    results = [result async for result in face.moderate_stream([IMAGE] * 2)]
    assert [result.allowed for result in results] == [True, True]
    assert len(server.received) == 4


async def test_a_stream_gives_up_on_an_image_that_is_refused_thrice(face: Face, server: FakeServer) -> None:
    server.default = OVERLOADED
    (result,) = [result async for result in face.moderate_stream([IMAGE])]
    assert type(result.error) is Overloaded
    assert len(server.received) == 3


async def test_a_stream_without_a_server_is_a_stream_of_errors(make: Make) -> None:
    client = make(f"127.0.0.1:{free_port()}")
    results = [result async for result in client.moderate_stream([IMAGE] * 3)]
    await client.close()
    assert [type(result.error) for result in results] == [Unavailable] * 3
    assert len({result.error.request_id for result in results if result.error}) == 3


async def test_a_stream_outlives_a_restart_of_the_server(face: Face, server: FakeServer) -> None:
    async def restart() -> None:
        await asyncio.sleep(0.2)
        await asyncio.to_thread(server.close)
        server.default = verdict()
        server.start()

    server.default = Delayed(60, verdict())
    restarting = asyncio.create_task(restart())
    results = [result async for result in face.moderate_stream([IMAGE] * 5)]
    await restarting
    assert [result.allowed for result in results] == [True] * 5


async def test_a_stream_that_falls_silent_ends_in_errors(face: Face, server: FakeServer) -> None:
    server.script(verdict(), Delayed(60, verdict()), Delayed(60, verdict()))
    results = [result async for result in face.moderate_stream([IMAGE] * 3, stall_timeout=0.5)]
    assert sorted(type(result.error).__name__ for result in results) == [
        "DeadlineExceeded",
        "DeadlineExceeded",
        "NoneType",
    ]


async def test_request_ids_that_meet_in_a_stream_are_refused(face: Face, server: FakeServer) -> None:
    server.default = Delayed(0.2, verdict())
    items = [Item(IMAGE, request_id="same"), Item(IMAGE, request_id="same")]
    results = [result async for result in face.moderate_stream(items, ordered=True)]
    assert results[0].allowed
    assert results[1].error is not None
    assert results[1].error.reason == "REQUEST_ID_DUPLICATE"


async def test_a_mistake_in_an_item_is_raised_from_the_stream(face: Face) -> None:
    with pytest.raises(TypeError):
        _ = [result async for result in face.moderate_stream([IMAGE, 42])]  # type: ignore[list-item]


@pytest.mark.parametrize("options", [{"window": 0}, {"stall_timeout": 0}])
async def test_a_stream_that_could_never_work_is_refused_at_once(face: Face, options: dict) -> None:
    with pytest.raises(ValueError, match="window must be at least 1"):
        _ = [result async for result in face.moderate_stream([IMAGE], **options)]


# --- the other calls ------------------------------------------------------------------------------


async def test_a_verdict_can_be_fetched_again_by_name(face: Face, server: FakeServer) -> None:
    given = await face.moderate(IMAGE)
    assert await face.get_verdict(given.name) == given
    with pytest.raises(NotFound) as caught:
        await face.get_verdict("verdicts/unknown")
    assert caught.value.reason == "VERDICT_UNKNOWN"


async def test_policies_are_listed_over_all_pages(face: Face, server: FakeServer) -> None:
    server.page_size = 2
    server.policies = [policy_pb2.Policy(name=f"policy-{number}", is_default=number == 3) for number in range(5)]
    insult = server.policies[3].thresholds.add(review=0.5, block=0.8)
    insult.category = verdict_pb2.CATEGORY_INSULT
    assert [policy.name for policy in await face.list_policies()] == [f"policy-{number}" for number in range(5)]
    default = await face.get_policy()
    assert default.name == "policy-3"
    assert default.thresholds[Category.INSULT].review == pytest.approx(0.5)
    with pytest.raises(NotFound):
        await face.get_policy("none")


async def test_the_keys_of_tickets_are_shown_where_there_are_any(face: Face, server: FakeServer) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await face.ticket_keys()
    assert refused.value.reason == "TICKETS_OFF"
    server.jwks = '{"keys": []}'
    assert await face.ticket_keys() == TicketKeys('{"keys": []}', "gatepost")


async def test_health_says_what_the_server_says(face: Face, server: FakeServer, make: Make) -> None:
    assert await face.health() is Health.SERVING
    server.set_serving(False)
    assert await face.health() is Health.NOT_SERVING
    nobody = make(f"127.0.0.1:{free_port()}", retries=0)
    with pytest.raises(Unavailable):
        await nobody.health()
    await nobody.close()


async def test_a_closed_client_says_so_and_closes_again(make: Make, server: FakeServer) -> None:
    client = make(server.target)
    await client.moderate(IMAGE)
    await client.close()
    await client.close()
    with pytest.raises(RuntimeError, match="closed"):
        await client.gate(IMAGE)


async def test_many_callers_share_one_client(face: Face, server: FakeServer) -> None:
    server.default = Delayed(0.05, verdict())
    answers = await asyncio.gather(*(face.gate(IMAGE, request_id=f"card-{number}") for number in range(20)))
    assert [answer.request_id for answer in answers] == [f"card-{number}" for number in range(20)]
    assert all(answer.allowed for answer in answers)
