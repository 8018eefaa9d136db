"""The Triton client keeps the scorers' contract over a real socket, and asks Triton for the right things."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from opentelemetry.sdk.trace import TracerProvider
from tritonclient.utils import InferenceServerException, deserialize_bytes_tensor

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.scoring.base import Priority
from gatepost_server.scoring.triton import TritonEndpoint, TritonScorer, as_gatepost_error
from tests.builders import request
from tests.unit.scoring.scorer_contract import ScorerContract
from tests.unit.scoring.triton_double import TritonDouble
from tests.unit.tensors.test_codec import answer


@pytest.fixture
async def triton():
    double = TritonDouble()
    double.answers = answer("Hello")
    double.address = await double.start()
    yield double
    await double.stop()


@pytest.fixture
async def scorer(triton):
    scorer = TritonScorer(TritonEndpoint(address=triton.address))
    yield scorer
    await scorer.close()


class TestTritonScorer(ScorerContract):
    @pytest.fixture
    def tell(self, triton):
        def script(*, delay_s: float = 0.0, error: dict[str, Any] | None = None, ready: bool = True) -> bytes:
            triton.delay_s = delay_s
            triton.is_ready = ready
            if error is not None:
                triton.error = GatepostError(
                    ErrorCode(error["code"]), ErrorReason(error["reason"]), error["message"], field=error["field"]
                )
            if not ready:
                triton.abort = (grpc.StatusCode.UNAVAILABLE, "Request for unknown model: 'moderate' is not ready")
            return b"png"

        return script

    async def test_it_sends_the_whole_request_with_its_priority(self, scorer, triton):
        asked = request(request_id="r/1", image=b"\x89PNG\x00", prompt="新年卡", expected_text=("快乐", "顺遂"))
        await scorer.score(asked, timeout_s=5.0, priority=Priority.RESCAN)
        (sent,) = triton.requests
        raw = {tensor.name: data for tensor, data in zip(sent.inputs, sent.raw_input_contents, strict=True)}
        shapes = {tensor.name: list(tensor.shape) for tensor in sent.inputs}
        assert deserialize_bytes_tensor(raw["IMAGE"]).tolist() == [b"\x89PNG\x00"]
        assert deserialize_bytes_tensor(raw["PROMPT"]).tolist() == ["新年卡".encode()]
        assert deserialize_bytes_tensor(raw["EXPECTED"]).tolist() == ["快乐".encode(), "顺遂".encode()]
        assert shapes == {"IMAGE": [1, 1], "PROMPT": [1, 1], "EXPECTED": [1, 2]}
        assert sent.id == "r/1"
        assert sent.parameters["priority"].uint64_param == 3

    async def test_a_request_without_expected_texts_sends_an_empty_tensor(self, scorer, triton):
        await scorer.score(request(), timeout_s=5.0)
        (sent,) = triton.requests
        assert {tensor.name: list(tensor.shape) for tensor in sent.inputs}["EXPECTED"] == [1, 0]

    async def test_a_call_that_was_sent_is_never_cancelled_for_triton_dies_of_that(self, scorer, triton):
        triton.delay_s = 0.5
        left = asyncio.create_task(scorer.score(request(), timeout_s=30.0))
        while not triton.requests:
            await asyncio.sleep(0.01)
        left.cancel()
        with pytest.raises(asyncio.CancelledError):
            await left
        with pytest.raises(GatepostError):
            await scorer.score(request(), timeout_s=0.1)
        await asyncio.sleep(1.0)
        assert not triton.cancelled.is_set()

    async def test_the_deadline_goes_along_as_the_queues_time_out(self, scorer, triton):
        await scorer.score(request(), timeout_s=2.5)
        (sent,) = triton.requests
        assert sent.parameters["timeout"].int64_param == 2_500_000

    async def test_a_call_that_nobody_waits_for_keeps_its_place_until_it_ends(self, triton):
        scorer = TritonScorer(TritonEndpoint(address=triton.address), max_calls=1)
        triton.delay_s = 0.5
        with pytest.raises(GatepostError) as late:
            await scorer.score(request(), timeout_s=0.1)
        assert late.value.reason is ErrorReason.DEADLINE
        with pytest.raises(GatepostError) as refused:
            await scorer.score(request(), timeout_s=5.0)
        assert (refused.value.code, refused.value.reason) == (ErrorCode.RESOURCE_EXHAUSTED, ErrorReason.OVERLOADED)
        assert refused.value.retry_after_s
        await asyncio.sleep(1.0)
        assert (await scorer.score(request(), timeout_s=5.0)).fused
        await scorer.close()

    async def test_a_time_out_in_tritons_queue_is_a_deadline(self):
        error = InferenceServerException(msg="Request timeout expired", status="StatusCode.UNAVAILABLE")
        assert as_gatepost_error(error).reason is ErrorReason.DEADLINE

    async def test_an_answer_that_lacks_a_tensor_is_unusable(self, scorer, triton):
        del triton.answers["SCORES"]
        with pytest.raises(GatepostError) as caught:
            await scorer.score(request(), timeout_s=5.0)
        assert caught.value.reason is ErrorReason.MODEL_OUTPUT_INVALID

    async def test_a_large_image_goes_through(self, scorer, triton):
        await scorer.score(request(image=bytes(21 << 20)), timeout_s=20.0)
        assert len(triton.requests[0].raw_input_contents[0]) == (21 << 20) + 4

    async def test_images_are_judged_again_as_soon_as_triton_is_back(self, triton):
        scorer = TritonScorer(TritonEndpoint(address="127.0.0.1:1"))
        try:
            assert not await scorer.ready()
            with pytest.raises(GatepostError) as caught:
                await scorer.score(request(), timeout_s=1.0)
            assert caught.value.reason in (ErrorReason.MODEL_SERVER_UNAVAILABLE, ErrorReason.DEADLINE)
        finally:
            await scorer.close()


@pytest.mark.parametrize(
    ("status", "message", "code", "reason"),
    [
        ("StatusCode.DEADLINE_EXCEEDED", "Deadline Exceeded", "DEADLINE_EXCEEDED", "DEADLINE"),
        ("StatusCode.UNAVAILABLE", "failed to connect", "UNAVAILABLE", "MODEL_SERVER_UNAVAILABLE"),
        ("StatusCode.UNAVAILABLE", "Exceeds maximum queue size", "UNAVAILABLE", "MODEL_SERVER_UNAVAILABLE"),
        ("StatusCode.INVALID_ARGUMENT", "unexpected shape for input 'IMAGE'", "INTERNAL", "MODEL_FAILED"),
        ("StatusCode.INTERNAL", "Stub process is not healthy: /opt/x", "UNAVAILABLE", "MODEL_SERVER_UNAVAILABLE"),
        ("StatusCode.CANCELLED", "cancelled", "INTERNAL", "MODEL_FAILED"),
        ("StatusCode.NOT_FOUND", "unknown model", "INTERNAL", "MODEL_FAILED"),
        (None, "something local", "INTERNAL", "MODEL_FAILED"),
        (
            "StatusCode.UNAVAILABLE",
            '{"code":"RESOURCE_EXHAUSTED","reason":"OVERLOADED","message":"full"}',
            "RESOURCE_EXHAUSTED",
            "OVERLOADED",
        ),
    ],
)
def test_what_triton_says_becomes_our_words_and_never_names_its_files(status, message, code, reason):
    error = as_gatepost_error(InferenceServerException(message, status=status))
    assert (error.code, error.reason) == (code, reason)
    assert "/" not in error.message


async def test_a_traced_call_carries_its_trace_to_triton_and_any_other_carries_nothing(scorer, triton):
    await scorer.score(request(), timeout_s=10.0)
    with TracerProvider().get_tracer("test").start_as_current_span("call") as span:
        await scorer.score(request(), timeout_s=10.0)
    plain, traced = triton.metadata
    assert "traceparent" not in plain
    assert f"{span.get_span_context().trace_id:032x}" in traced["traceparent"]
