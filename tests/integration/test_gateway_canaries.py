"""Canaries over a real gateway: models that answer wrongly are found out, told of, and kept from allowing anything."""

from __future__ import annotations

import asyncio
import hashlib
import json
import urllib.error
import urllib.request
from dataclasses import replace
from datetime import date

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gatepost.v1 import moderation_pb2 as wire
from gatepost.v1 import verdict_pb2
from gatepost_server.gateway import canary_cards
from gatepost_server.gateway.health import CANARIES, MODELS, MODERATION
from gatepost_server.scoring.base import Priority
from gatepost_server.scoring.fake import FakeScorer
from tests.gateways import refused, running_gateway, script

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
BAD = {subject for subjects in canary_cards.SUBJECTS.values() for subject in subjects["bad"]}


class Models(FakeScorer):
    """Models without nets that go blind on request: then everything looks clean."""

    blind = False

    def __init__(self) -> None:
        super().__init__()
        self.images: list[bytes] = []

    def of_callers(self, image: bytes) -> int:
        return self.images.count(image)

    async def score(self, request, *, timeout_s, priority=Priority.INTERACTIVE):
        self.images.append(request.image)
        shown = replace(request, image=b"nothing is seen") if self.blind else request
        seen = await super().score(shown, timeout_s=timeout_s, priority=priority)
        return replace(seen, image=replace(seen.image, sha256=hashlib.sha256(request.image).hexdigest()))


@pytest.fixture(autouse=True)
def scripted_cards(monkeypatch):
    """Cards that the fake can read, each with bytes of its own."""

    def draw(kind: str, subject: str, day: date, rng) -> bytes:
        return script(scores={"insult": 0.95} if subject in BAD else {}, nonce=rng.random())

    monkeypatch.setattr(canary_cards, "draw", draw)


def gateway_with_canaries(scorer, **settings):
    return running_gateway(scorer=scorer, canary_interval_s=0.05, http_listen="127.0.0.1:0", **settings)


async def status(gateway, service: str = "") -> int:
    answer = await health_pb2_grpc.HealthStub(gateway.channel).Check(health_pb2.HealthCheckRequest(service=service))
    return answer.status


async def becomes(gateway, wanted: int, service: str = "") -> None:
    async with asyncio.timeout(30):
        while await status(gateway, service) != wanted:
            await asyncio.sleep(0.01)


async def page(gateway, path: str) -> tuple[int, str]:
    def get() -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://{gateway.http}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    return await asyncio.to_thread(get)


async def test_models_that_go_blind_are_found_out_and_those_that_see_again_are_trusted_again(capfd):
    models = Models()
    async with gateway_with_canaries(models) as gateway:
        await becomes(gateway, SERVING)
        assert await status(gateway, CANARIES) == SERVING
        assert (await gateway.moderation.Moderate(wire.ModerateRequest(image=b"x"))).verdict.decision == (
            verdict_pb2.DECISION_ALLOW
        )
        models.blind = True
        for service in (CANARIES, MODERATION, ""):
            await becomes(gateway, NOT_SERVING, service)
        assert await status(gateway, MODELS) == SERVING  # they answer, but wrongly
        refusal = await refused(gateway.moderation.Moderate(wire.ModerateRequest(image=b"y")))
        assert (refusal.code, refusal.info.reason) == (grpc.StatusCode.UNAVAILABLE, "MODELS_NOT_TRUSTED")
        assert refusal.retry_s
        code, text = await page(gateway, "/healthz")
        assert (code, json.loads(text)) == (503, {"status": "NOT_SERVING", "not_serving": [CANARIES]})
        code, text = await page(gateway, "/metrics")
        assert code == 200
        assert "gatepost_models_trusted 0.0" in text
        assert 'outcome="wrong"' in text
        models.blind = False
        await becomes(gateway, SERVING)
        assert (await gateway.moderation.Moderate(wire.ModerateRequest(image=b"y"))).verdict.decision == (
            verdict_pb2.DECISION_ALLOW
        )
        assert "gatepost_models_trusted 1.0" in (await page(gateway, "/metrics"))[1]
    told = capfd.readouterr().out
    assert "models_not_trusted" in told
    assert "bad-" in told
    assert told.count("models_trusted") == 2


async def test_what_comes_while_nothing_is_trusted_is_held_and_judged_when_it_is(tmp_path):
    models = Models()
    models.blind = True
    async with gateway_with_canaries(models, backlog=str(tmp_path / "backlog.db")) as gateway:
        await becomes(gateway, SERVING, MODELS)
        insult = wire.ModerateRequest(image=script(scores={"insult": 0.95}))
        held = (await gateway.moderation.Moderate(insult)).verdict
        assert (held.decision, held.pending) == (verdict_pb2.DECISION_HOLD, True)
        assert [reason.code for reason in held.reasons] == [verdict_pb2.REASON_CODE_STAGE_FAILED]
        models.blind = False
        seen = [
            answer.verdict
            async for answer in gateway.moderation.WatchVerdict(wire.WatchVerdictRequest(name=held.name), timeout=60)
        ]
        assert (seen[-1].name, seen[-1].decision) == (held.name, verdict_pb2.DECISION_BLOCK)


async def test_models_that_fail_every_canary_never_serve():
    class Failing(FakeScorer):
        async def score(self, request, *, timeout_s, priority=Priority.INTERACTIVE):
            raise ZeroDivisionError

    async with gateway_with_canaries(Failing()) as gateway:
        await becomes(gateway, SERVING, MODELS)
        async with asyncio.timeout(30):
            while 'outcome="wrong"' not in (await page(gateway, "/metrics"))[1]:
                await asyncio.sleep(0.01)
        assert await status(gateway) == NOT_SERVING


async def test_canaries_wait_until_there_is_room_and_take_nobodys_place():
    models = Models()
    async with gateway_with_canaries(models, max_images_in_flight=1, max_stream_images_in_flight=1) as gateway:
        await becomes(gateway, SERVING)
        for _ in range(5):  # while canaries come twenty times a second
            await gateway.moderation.Moderate(wire.ModerateRequest(image=script(delay_s=0.3)))
        assert await status(gateway, CANARIES) == SERVING


async def test_without_canaries_health_has_no_part_of_that_name():
    async with running_gateway() as gateway:
        await becomes(gateway, SERVING)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await status(gateway, CANARIES)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_gateway_that_drains_sends_no_canaries_and_ends():
    models = Models()
    async with gateway_with_canaries(models) as gateway:
        await becomes(gateway, SERVING)
        gateway.stop.set()
        async with asyncio.timeout(10):
            await gateway.done


async def test_an_earlier_allow_is_not_given_again_while_nobody_vouches_for_the_models():
    models = Models()
    asked = wire.ModerateRequest(image=b"a clean card", request_id="the-same")
    async with gateway_with_canaries(models, evidence_cache_bytes=1 << 20) as gateway:
        await becomes(gateway, SERVING)
        first = (await gateway.moderation.Moderate(asked)).verdict
        again = (await gateway.moderation.Moderate(asked)).verdict
        assert (first.decision, again.name) == (verdict_pb2.DECISION_ALLOW, first.name)
        models.blind = True
        await becomes(gateway, NOT_SERVING)
        refusal = await refused(gateway.moderation.Moderate(asked))
        assert refusal.info.reason == "MODELS_NOT_TRUSTED"
        models.blind = False
        await becomes(gateway, SERVING)
        looked_at = models.of_callers(b"a clean card")
        later = (await gateway.moderation.Moderate(wire.ModerateRequest(image=b"a clean card"))).verdict
        assert later.decision == verdict_pb2.DECISION_ALLOW
        assert models.of_callers(b"a clean card") == looked_at + 1  # what was seen before is not believed any more
