"""What a running gateway tells Prometheus of calls, verdicts, refusals and time."""

from __future__ import annotations

import asyncio
import urllib.request

import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gatepost.v1 import moderation_pb2 as wire
from tests.gateways import refused, running_gateway, script, stream_request

pytestmark = pytest.mark.integration


async def figures(gateway) -> dict[tuple[str, frozenset[str]], float]:
    """Every sample, by name and label values."""
    text = await asyncio.to_thread(lambda: urllib.request.urlopen(f"http://{gateway.http}/metrics").read().decode())
    return {
        (sample.name, frozenset(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(found, name: str, *labels: str) -> float:
    return found.get((f"gatepost_{name}", frozenset(labels)), 0.0)


async def test_calls_verdicts_scores_reasons_and_time_are_counted_once_each():
    async with running_gateway(http_listen="127.0.0.1:0") as gateway:
        for scores in ({}, {"insult": 0.99}):
            await gateway.moderation.Moderate(wire.ModerateRequest(image=script(scores=scores, delay_s=0.05)))
        await refused(gateway.moderation.Moderate(wire.ModerateRequest(image=b"")))
        found = await figures(gateway)
    assert of(found, "requests_total", "Moderate", "OK") == 2
    assert of(found, "requests_total", "Moderate", "INVALID_ARGUMENT") == 1
    assert of(found, "refusals_total", "IMAGE_EMPTY") == 1
    assert of(found, "request_duration_seconds_count", "Moderate") == 3
    assert of(found, "verdicts_total", "ALLOW", "default") == 1
    assert of(found, "verdicts_total", "BLOCK", "default") == 1
    assert of(found, "reasons_total", "SCORE", "insult") == 1
    assert of(found, "score_ratio_bucket", "insult", "0.95") == 1
    assert of(found, "score_ratio_count", "insult") == 2
    assert of(found, "verdict_duration_seconds_count", "interactive") == 2
    assert of(found, "verdict_duration_seconds_sum", "interactive") >= 0.1
    assert of(found, "stage_duration_seconds_count", "decode") == 2
    assert of(found, "queue_duration_seconds_count", "models") == 2
    assert of(found, "in_flight_images") == 0
    assert of(found, "models_ready") == 1


async def test_images_of_a_stream_wait_in_queues_and_are_refused_one_by_one():
    async with running_gateway(http_listen="127.0.0.1:0") as gateway:
        call = gateway.moderation.ModerateStream()
        for number in range(3):
            await call.write(stream_request(str(number), b"" if number == 2 else b"png"))
        await call.done_writing()
        assert len([answer async for answer in call]) == 3
        found = await figures(gateway)
    assert of(found, "verdict_duration_seconds_count", "rescan") == 2
    assert of(found, "refusals_total", "IMAGE_EMPTY") == 1
    assert of(found, "queue_duration_seconds_count", "admission") == 3
    assert of(found, "queue_duration_seconds_count", "background") == 2
    assert of(found, "requests_total", "ModerateStream", "OK") == 1


async def test_a_held_image_is_counted_with_what_went_wrong_and_with_what_becomes_of_it(tmp_path):
    settings = {"http_listen": "127.0.0.1:0", "backlog": str(tmp_path / "backlog.db"), "max_deadline_s": 0.2}
    async with running_gateway(**settings) as gateway:
        verdict = (await gateway.moderation.Moderate(wire.ModerateRequest(image=script(delay_s=1.0)))).verdict
        watched = gateway.moderation.WatchVerdict(wire.WatchVerdictRequest(name=verdict.name))
        assert [answer.verdict.pending async for answer in watched] == [True, False]
        found = await figures(gateway)
    assert of(found, "held_total", "DEADLINE") == 1
    assert of(found, "verdicts_total", "HOLD", "default") == 1
    assert of(found, "nearline_verdicts_total", "ALLOW") == 1


async def test_callers_who_are_not_let_in_are_counted_and_methods_that_there_are_not_make_no_series():
    async with running_gateway(http_listen="127.0.0.1:0", tokens=["s" * 40]) as gateway:
        await refused(gateway.moderation.Moderate(wire.ModerateRequest(image=b"png")))
        nowhere = gateway.channel.unary_unary("/gatepost.v1.ModerationService/NoSuchMethod")
        with pytest.raises(grpc.aio.AioRpcError, match="UNAUTHENTICATED"):
            await nowhere(b"")
        found = await figures(gateway)
    assert of(found, "requests_total", "Moderate", "UNAUTHENTICATED") == 1
    assert of(found, "refusals_total", "UNAUTHENTICATED") >= 1
    assert of(found, "requests_total", "(unknown)", "UNAUTHENTICATED") == 1
    assert not [labels for _, labels in found if "NoSuchMethod" in labels]
