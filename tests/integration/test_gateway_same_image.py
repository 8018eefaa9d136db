"""The same image sent again: one look of the models, over a real gateway."""

from __future__ import annotations

import asyncio
import urllib.request

from gatepost.v1 import moderation_pb2 as wire
from gatepost.v1 import verdict_pb2
from tests.gateways import running_gateway, script

MEMORY = {"evidence_cache_bytes": 1 << 20, "http_listen": "127.0.0.1:0"}


async def test_the_same_bytes_are_looked_at_once_and_judged_each_time():
    card = script(scores={"insult": 0.4})
    async with running_gateway(**MEMORY) as gateway:
        first = (await gateway.moderation.Moderate(wire.ModerateRequest(image=card))).verdict
        again = (await gateway.moderation.Moderate(wire.ModerateRequest(image=card))).verdict
        strict = (await gateway.moderation.Moderate(wire.ModerateRequest(image=card, policy="strict"))).verdict
        assert len(gateway.scorer.priorities) == 1
        assert len({first.name, again.name, strict.name}) == 3
        assert (first.decision, strict.decision) == (verdict_pb2.DECISION_ALLOW, verdict_pb2.DECISION_REVIEW)
        assert again.scores == first.scores
        page = await asyncio.to_thread(lambda: urllib.request.urlopen(f"http://{gateway.http}/metrics").read().decode())
        assert 'gatepost_images_looked_up_total{lookup="hit"} 2.0' in page
        assert 'gatepost_images_looked_up_total{lookup="miss"} 1.0' in page


async def test_the_same_bytes_at_the_same_time_are_looked_at_once():
    card = script(delay_s=0.5)
    async with running_gateway(**MEMORY) as gateway:
        calls = [gateway.moderation.Moderate(wire.ModerateRequest(image=card)) for _ in range(6)]
        answers = await asyncio.gather(*calls)
        assert {answer.verdict.decision for answer in answers} == {verdict_pb2.DECISION_ALLOW}
        assert len(gateway.scorer.priorities) == 1


async def test_without_memory_every_image_is_looked_at():
    async with running_gateway(evidence_cache_bytes=0) as gateway:
        for _ in range(2):
            await gateway.moderation.Moderate(wire.ModerateRequest(image=b"a card"))
        assert len(gateway.scorer.priorities) == 2
