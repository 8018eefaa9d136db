"""One trace from the SDK's call to each stage, received over OTLP on a real socket."""

from __future__ import annotations

import asyncio
import urllib.request

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from gatepost.v1 import moderation_pb2 as wire
from gatepost_client import AsyncClient, Client
from gatepost_client import _tracing as sdk_tracing
from gatepost_server.domain.labels import StageName
from tests.gateways import refused, running_gateway, script, stream_request
from tests.otlp_receiver import attributes, receiving

pytestmark = pytest.mark.integration

MODERATE = "gatepost.v1.ModerationService/Moderate"
SECRET = "恭喜发财 and nobody may read this"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


@pytest.fixture(scope="module", autouse=True)
def provider():
    """The application's own, which the SDK uses; OpenTelemetry lets it be set once for each process."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(TracerProvider())
    return trace.get_tracer_provider()


def children(receiver, parent) -> dict[str, object]:
    return {span.name: span for span in receiver.spans if span.parent_span_id == parent.span_id}


async def test_a_call_of_the_sdk_is_one_trace_down_to_each_stage(tmp_path):
    with receiving() as receiver:
        settings = {"otlp": receiver.address, "trace_share": 0.0, "record": str(tmp_path / "record.db")}
        async with running_gateway(**settings) as gateway, AsyncClient(gateway.address, tracing=True) as client:
            with trace.get_tracer("test").start_as_current_span("card") as card:
                verdict = await client.moderate(script(delay_s=0.05), prompt=SECRET, request_id="r1")
        context = card.get_span_context()
        assert {span.trace_id for span in receiver.spans} == {context.trace_id.to_bytes(16)}
        served = receiver.one(MODERATE)
        told = attributes(served)
        assert served.parent_span_id  # the SDK's span, which is not sent here
        assert (told["rpc.method"], told["rpc.grpc.status_code"]) == ("Moderate", 0)
        assert (told["gatepost.decision"], told["gatepost.verdict"]) == ("ALLOW", verdict.name)
        steps = children(receiver, served)
        assert set(steps) == {"read", "score", "policy", "record"}
        models = children(receiver, steps["score"])["models"]
        stages = children(receiver, models)
        assert set(stages) == {stage.value for stage in StageName}
        for stage in stages.values():
            assert models.start_time_unix_nano <= stage.start_time_unix_nano <= stage.end_time_unix_nano
            assert stage.end_time_unix_nano <= models.end_time_unix_nano
            assert attributes(stage)["gatepost.clock"] == "shared"
        assert receiver.services == {"gatepost-gateway"}
        assert SECRET not in str(receiver.spans)


async def test_the_blocking_client_carries_the_trace_too_and_a_stream_has_a_span_for_each_image(provider):
    with receiving() as receiver:
        async with running_gateway(otlp=receiver.address, trace_share=0.0) as gateway:

            def call() -> tuple[int, int]:
                with Client(gateway.address, tracing=True) as client:
                    with trace.get_tracer("test").start_as_current_span("one") as one:
                        client.moderate(script(scores={"insult": 0.99}))
                    with trace.get_tracer("test").start_as_current_span("many") as many:
                        assert len(list(client.moderate_stream([script(n=1), script(n=2)]))) == 2
                    return one.get_span_context().trace_id, many.get_span_context().trace_id

            one, many = await asyncio.to_thread(call)
        assert receiver.one(MODERATE).trace_id == one.to_bytes(16)
        images = receiver.named("image")
        assert {span.trace_id for span in images} == {many.to_bytes(16)}
        assert [attributes(span)["gatepost.decision"] for span in images] == ["ALLOW", "ALLOW"]


async def test_a_failure_is_named_in_its_span_and_nothing_of_the_request_is():
    broken = script(error={"code": "INTERNAL", "reason": "MODEL_FAILED", "message": SECRET})
    with receiving() as receiver:
        async with running_gateway(otlp=receiver.address, trace_share=1.0) as gateway:
            refusal = await refused(gateway.moderation.Moderate(wire.ModerateRequest(image=broken)))
        assert refusal.info.reason == "MODEL_FAILED"
        served = receiver.one(MODERATE)
        assert (served.status.message, attributes(served)["rpc.grpc.status_code"]) == ("INTERNAL", 13)
        assert receiver.one("score").status.message == "MODEL_FAILED"
        assert not [event for span in receiver.spans for event in span.events]
        assert SECRET not in str(receiver.spans)


async def test_latencies_have_the_trace_as_an_exemplar_where_openmetrics_is_asked_for():
    with receiving() as receiver:
        settings = {"otlp": receiver.address, "trace_share": 1.0, "http_listen": "127.0.0.1:0"}
        async with running_gateway(**settings) as gateway:
            await gateway.moderation.Moderate(wire.ModerateRequest(image=b"png"))
            asked = urllib.request.Request(f"http://{gateway.http}/metrics", headers={"accept": OPENMETRICS})
            text = await asyncio.to_thread(lambda: urllib.request.urlopen(asked).read().decode())
        traced = receiver.one(MODERATE).trace_id.hex()
        families = {family.name: family for family in text_string_to_metric_families(text)}
        for name in ("gatepost_verdicts", "gatepost_verdict_duration_seconds", "gatepost_queue_duration_seconds"):
            exemplars = {sample.exemplar.labels["trace_id"] for sample in families[name].samples if sample.exemplar}
            assert exemplars == {traced}, name


async def test_nothing_is_sent_unless_somebody_says_where_to_and_a_receiver_that_is_away_costs_no_verdict():
    with receiving() as receiver:
        async with running_gateway(trace_share=1.0) as gateway:
            await gateway.moderation.Moderate(wire.ModerateRequest(image=b"png"))
        assert receiver.spans == []
        away = receiver.address
    async with running_gateway(otlp=away, trace_share=1.0) as gateway:
        call = gateway.moderation.ModerateStream()
        for number in range(20):
            await call.write(stream_request(str(number)))
        await call.done_writing()
        assert len([answer async for answer in call if answer.HasField("verdict")]) == 20


def test_a_client_that_is_not_told_to_trace_adds_nothing_to_its_calls():
    with trace.get_tracer("test").start_as_current_span("card"):
        off = sdk_tracing.Untraced()
        with off.call(wire.ModerateRequest()) as headers:
            assert headers == ()
        assert off.carried() == ()
        assert [key for key, _ in sdk_tracing.Traced().carried()] == ["traceparent"]
