"""Bad input gets its own typed error, and nobody else's request suffers."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib
from collections.abc import Iterator

import grpc
import pytest
from PIL import Image

from benchmarks.stack import Stack
from gatepost.v1 import moderation_pb2, moderation_pb2_grpc
from gatepost_client import Client, Decision, GatepostError, InvalidRequest, Item


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG with a header, the given chunks and too little pixel data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    body = b"".join(chunk(kind, data) for kind, data in chunks)
    return b"\x89PNG\r\n\x1a\n" + header + body + chunk(b"IDAT", zlib.compress(b"\0" * 16)) + chunk(b"IEND", b"")


def gif(frames: int) -> bytes:
    out = io.BytesIO()
    pictures = [Image.new("L", (8, 8), (i * 37) % 256) for i in range(frames)]
    pictures[0].save(out, "GIF", save_all=True, append_images=pictures[1:])
    return out.getvalue()


def bmp() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (2700, 2700)).save(out, "BMP")
    return out.getvalue()


BAD_IMAGES = {
    "not an image": (b"hello, this is text and no image at all", "IMAGE_FORMAT_UNSUPPORTED"),
    "an unknown format": (b"%PDF-1.7\n" + b"x" * 200, "IMAGE_FORMAT_UNSUPPORTED"),
    "wrong magic": (b"\x00PNG\r\n\x1a\n" + png(8, 8)[8:], "IMAGE_FORMAT_UNSUPPORTED"),
    "0 x 0": (png(0, 0), "IMAGE_ZERO_SIZE"),
    "a bomb of pixels": (png(16_000, 16_000), "IMAGE_TOO_MANY_PIXELS"),
    "a side too long": (png(60_000, 10), "IMAGE_SIDE_TOO_LONG"),
    "a bomb of frames": (gif(200), "IMAGE_TOO_MANY_FRAMES"),
    "a bomb of text": (png(8, 8, (b"zTXt", b"k\0\0" + zlib.compress(b"a" * 50_000_000))), "IMAGE_METADATA_TOO_LARGE"),
    "oversize": (bmp(), "IMAGE_TOO_LARGE"),
}


@pytest.fixture(params=BAD_IMAGES.values(), ids=BAD_IMAGES.keys())
def bad(request: pytest.FixtureRequest) -> tuple[bytes, str]:
    return request.param


def test_a_bad_image_gets_a_typed_error_that_names_the_field(client: Client, bad: tuple[bytes, str]) -> None:
    image, reason = bad
    with pytest.raises(InvalidRequest) as caught:
        client.moderate(image)
    assert (caught.value.reason, caught.value.field) == (reason, "image")
    assert "/" not in caught.value.message  # no path of the server


def test_an_empty_image_is_refused(client: Client) -> None:
    with pytest.raises(InvalidRequest) as caught:
        client.moderate(b"")
    assert caught.value.field == "image"


def test_every_cut_of_a_file_is_an_error_and_never_half_a_picture(client: Client, card: dict[str, bytes]) -> None:
    whole = card["knife"]
    cuts = [Item(whole[: len(whole) * tenths // 10], request_id=f"{tenths}") for tenths in range(1, 10)]
    for result in client.moderate_stream(cuts):
        assert isinstance(result.error, InvalidRequest), result.request_id


def test_bad_neighbours_in_a_batch_do_not_sink_the_good_ones(client: Client, card: dict[str, bytes]) -> None:
    wanted = {name.replace(" ", "-"): image_and_reason for name, image_and_reason in BAD_IMAGES.items()}
    bad = [Item(image, request_id=name) for name, (image, _) in wanted.items()]
    good = [Item(card["new_year"], request_id=f"good-{i}") for i in range(len(bad))]
    mixed = [item for pair in zip(bad, good, strict=True) for item in pair]
    for result in client.moderate_stream(mixed, window=8):
        if result.request_id.startswith("good-"):
            assert result.verdict is not None, result.error
            assert result.verdict.decision is Decision.ALLOW
        else:
            assert isinstance(result.error, InvalidRequest)
            assert result.error.reason == wanted[result.request_id][1]


BAD_FIELDS = {
    "a prompt of a megabyte": ({"prompt": "x" * 1_000_000}, "prompt", "TEXT_TOO_LONG"),
    "an expected text too long": ({"expected_text": ["ok", "x" * 5_000]}, "expected_text[1]", "TEXT_TOO_LONG"),
    "too many expected texts": ({"expected_text": ["x"] * 1_000}, "expected_text", "TOO_MANY_ITEMS"),
    "an unknown policy": ({"policy": "no-such-policy"}, "policy", "POLICY_UNKNOWN"),
    "an unknown locale": ({"locale": "not a locale"}, "locale", "LOCALE_UNKNOWN"),
}


@pytest.mark.parametrize(("fields", "field", "reason"), BAD_FIELDS.values(), ids=BAD_FIELDS.keys())
def test_a_bad_field_gets_a_typed_error(
    client: Client, card: dict[str, bytes], fields: dict[str, object], field: str, reason: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        client.moderate(card["fish"], **fields)  # type: ignore[arg-type]
    assert (caught.value.reason, caught.value.field) == (reason, field)


def test_bytes_that_are_not_utf_8_in_a_text_field_get_a_typed_error(stack: Stack) -> None:
    prompt = b"\x22\x02\xff\xfe"  # field 4, two bytes, not UTF-8
    with grpc.insecure_channel(stack.address) as channel:
        call = channel.unary_unary("/gatepost.v1.ModerationService/Moderate")
        with pytest.raises(grpc.RpcError) as caught:
            call(prompt, timeout=10)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_the_same_id_twice_in_a_stream_is_refused_and_the_first_is_answered(
    stack: Stack, card: dict[str, bytes]
) -> None:
    request = moderation_pb2.ModerateRequest(request_id="twice", image=card["fish"])
    wrapped = moderation_pb2.ModerateStreamRequest(request=request)
    with grpc.insecure_channel(stack.address) as channel:
        stub = moderation_pb2_grpc.ModerationServiceStub(channel)
        answers = list(stub.ModerateStream(iter([wrapped, wrapped]), timeout=60))
    assert sorted(answer.WhichOneof("result") for answer in answers) == ["error", "verdict"]


def test_a_client_that_vanishes_leaves_the_service_as_it_was(
    stack: Stack, client: Client, card: dict[str, bytes]
) -> None:
    def endless() -> Iterator[moderation_pb2.ModerateStreamRequest]:
        for number in range(10_000):
            request = moderation_pb2.ModerateRequest(request_id=str(number), image=card["couplets"])
            yield moderation_pb2.ModerateStreamRequest(request=request)

    channel = grpc.insecure_channel(stack.address)
    answers = moderation_pb2_grpc.ModerationServiceStub(channel).ModerateStream(endless(), timeout=60)
    next(answers)
    answers.cancel()
    with contextlib.suppress(grpc.RpcError):
        list(answers)
    channel.close()
    assert client.moderate(card["new_year"]).decision is not Decision.HOLD


def test_a_deadline_that_cannot_be_met_is_an_error_and_gate_makes_it_hold(
    client: Client, card: dict[str, bytes]
) -> None:
    with pytest.raises(GatepostError):
        client.moderate(card["fish"], timeout=0.001)
    assert client.gate(card["fish"], timeout=0.001).decision is Decision.HOLD
