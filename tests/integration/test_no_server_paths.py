"""Whatever goes wrong, what the caller is told names no file of the server. Real gateways, real sockets, a real Triton."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton_grpc

from gatepost.v1 import moderation_pb2 as wire
from gatepost.v1 import policy_pb2
from gatepost_server.scoring.triton import as_gatepost_error
from tests.gateways import running_gateway, script

pytestmark = pytest.mark.integration

# An absolute path of at least two parts, or a Python file; addresses of the web have a host before their path.
PATH = re.compile(r"(?<![\w:/.%-])/[\w.+-]+/[\w.+-]+|\w+\.py\b")
ROOTS = [str(Path(__file__).parents[2]), sys.prefix, str(Path.home()), "site-packages", "Traceback", "model_repository"]


def named(text: str, *more: Path) -> list[str]:
    """The server's places that the text names."""
    return PATH.findall(text) + [root for root in [*ROOTS, *map(str, more)] if root in text]


def test_the_check_sees_paths():
    assert named('File "/srv/app/model.py", line 3')
    assert named("cannot open /var/lib/gatepost/keys")
    assert not named("https://cdn.example/images/a.png and n/a and 1/2, application/octet-stream")


async def told(call: grpc.aio.UnaryUnaryCall) -> str:
    """All that a refused caller gets: the message and every trailer with all the details in it."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    trailers = [
        value if isinstance(value, str) else value.decode(errors="replace")
        for _, value in caught.value.trailing_metadata() or ()
    ]
    # The types of the details are addresses, of a kind; a length before one reads as a slash or not.
    return re.sub(r".?type\.googleapis\.com/[\w.]+", " ", "\n".join([caught.value.details() or "", *trailers]))


FIELDS = {
    "nothing": {},
    "empty": {"image": b""},
    "prompt": {"image": b"x", "prompt": "x" * 100_000},
    "locale": {"image": b"x", "locale": "../../etc/locale"},
    "policy": {"image": b"x", "policy": "no-such-policy"},
    "labels": {"image": b"x", "labels": {"a" * 1_000: "b"}},
    "id": {"image": b"x", "request_id": "not an id\n"},
}


@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS.keys())
async def test_a_bad_request(fields):
    async with running_gateway() as gateway:
        assert not named(await told(gateway.moderation.Moderate(wire.ModerateRequest(**fields))))


@pytest.mark.parametrize("data", [b"\x22\x02\xff\xfe", b"\xff" * 20, b"\x0a\xff\xff\xff\xff\x0f"])
async def test_bytes_that_are_no_request(data):
    async with running_gateway() as gateway:
        call = gateway.channel.unary_unary("/gatepost.v1.ModerationService/Moderate")
        assert not named(await told(call(data)))


async def test_names_that_nobody_gave():
    async with running_gateway() as gateway:
        verdict = gateway.moderation.GetVerdict(wire.GetVerdictRequest(name="verdicts/none"))
        policy = gateway.policies.GetPolicy(policy_pb2.GetPolicyRequest(name="none"))
        page = gateway.policies.ListPolicies(policy_pb2.ListPoliciesRequest(page_token="%%%"))
        for call in (verdict, policy, page):
            assert not named(await told(call))


async def test_images_by_uri_do_not_tell_what_lies_where(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "link.png").symlink_to("/etc/passwd")
    (folder / "loop.png").symlink_to(folder / "loop.png")
    os.mkfifo(folder / "pipe.png")
    (folder / "large.png").write_bytes(bytes(2_000))
    names: Sequence[str] = [
        "gone.png",
        "link.png",
        "loop.png",
        "pipe.png",
        "large.png",
        ".",
        "../x.png",
        "%00.png",
        "x" * 300,
    ]
    async with running_gateway(image_uri_prefixes=(f"file://{folder}/",), max_image_bytes=1_000) as gateway:
        for name in names:
            request = wire.ModerateRequest(image_uri=f"file://{folder}/{name}")
            assert not named(await told(gateway.moderation.Moderate(request)), folder), name
        for uri in ("file:///etc/shadow", "http://127.0.0.1:1/a.png", "http:a", "file:a"):
            assert not named(await told(gateway.moderation.Moderate(wire.ModerateRequest(image_uri=uri))), folder), uri


async def test_a_fault_of_our_own(monkeypatch):
    def broken(*_, **__):
        raise FileNotFoundError(2, "No such file or directory", "/srv/gatepost/secret/key.pem")

    async with running_gateway() as gateway:
        monkeypatch.setattr(gateway.scorer, "score", broken)
        text = await told(gateway.moderation.Moderate(wire.ModerateRequest(image=script())))
    assert not named(text, Path("/srv/gatepost"))


@pytest.mark.parametrize("image", [b"raise", b"nan", b"bad", b"die"])
def test_what_triton_says_stays_with_us(start_tiny_triton, image):
    server = start_tiny_triton()
    array = np.full((1, 1), image, object)
    inputs = [triton_grpc.InferInput("IMAGE", [1, 1], "BYTES"), triton_grpc.InferInput("EXPECTED", [1, 0], "BYTES")]
    inputs[0].set_data_from_numpy(array)
    inputs[1].set_data_from_numpy(np.empty((1, 0), object))
    with triton_grpc.InferenceServerClient(server.grpc_address) as client:
        with pytest.raises(triton_grpc.InferenceServerException) as caught:
            client.infer("moderate", inputs)
        assert not named(as_gatepost_error(caught.value).message)


def test_a_stub_s_own_words_are_replaced():
    """Triton passes a Python traceback on where a model raises; what it said must not get through."""
    said = "in ensemble 'moderate', Failed to process the request(s), message: KeyError: 'x'\n\nAt:\n  /srv/m/model.py(3): execute\n"
    error = triton_grpc.InferenceServerException(said, status="StatusCode.INTERNAL")
    answer = as_gatepost_error(error)
    assert not named(json.dumps([answer.message, answer.field]))
