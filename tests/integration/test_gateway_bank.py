"""Known-bad examples and shadow policies in real gateways that share a bank."""

from __future__ import annotations

import asyncio
import hashlib
import urllib.request

import pytest
import yaml
from PIL import Image
from typer.testing import CliRunner

from gatepost.v1 import moderation_pb2 as wire
from gatepost.v1 import verdict_pb2
from gatepost_server.cli.app import app
from gatepost_server.domain.known_bad import KnownBad
from gatepost_server.domain.labels import Category
from gatepost_server.records.sql_bank import SqlBank
from tests.gateways import running_gateway, script
from tests.unit.policy.policy_text import content

pytestmark = pytest.mark.integration

CARD = script(scores={"spam": 0.1})
ALLOW, BLOCK = verdict_pb2.DECISION_ALLOW, verdict_pb2.DECISION_BLOCK


def known(name: str = "one") -> KnownBad:
    return KnownBad(name, Category.INSULT, 1.0, "wang", sha256=hashlib.sha256(CARD).hexdigest())


async def judged(gateway) -> verdict_pb2.Verdict:
    return (await gateway.moderation.Moderate(wire.ModerateRequest(image=CARD))).verdict


async def metrics(gateway) -> str:
    return await asyncio.to_thread(lambda: urllib.request.urlopen(f"http://{gateway.http}/metrics").read().decode())


async def test_an_example_acts_within_seconds_on_every_gateway(tmp_path):
    shared = {"bank": str(tmp_path / "bank.db"), "bank_poll_s": 0.1, "http_listen": "127.0.0.1:0"}
    store = SqlBank.at(str(tmp_path / "bank.db"))
    async with running_gateway(**shared) as first, running_gateway(**shared) as second:
        assert {(await judged(each)).decision for each in (first, second)} == {ALLOW}
        await store.add(known())
        for gateway in (first, second):
            async with asyncio.timeout(30.0):
                while (verdict := await judged(gateway)).decision == ALLOW:
                    await asyncio.sleep(0.05)
            assert verdict.decision == BLOCK
            assert [reason.source for reason in verdict.reasons] == ["bank:one"]
            assert 'gatepost_bank_hits_total{category="insult",likeness="sha256"} ' in await metrics(gateway)
    await store.close()


async def test_a_gateway_that_starts_knows_the_bank_before_its_first_image(tmp_path):
    store = SqlBank.at(str(tmp_path / "bank.db"))
    await store.add(known())
    async with running_gateway(bank=str(tmp_path / "bank.db"), bank_poll_s=600.0) as gateway:
        assert (await judged(gateway)).decision == BLOCK
    await store.close()


async def test_with_a_bank_that_cannot_be_read_images_are_held(tmp_path):
    (tmp_path / "bank.db").write_bytes(b"no database" * 1_000)
    settings = {"bank": str(tmp_path / "bank.db"), "backlog": str(tmp_path / "backlog.db")}
    async with running_gateway(http_listen="127.0.0.1:0", **settings) as gateway:
        verdict = await judged(gateway)
        assert verdict.decision == verdict_pb2.DECISION_HOLD
        assert verdict.pending
        assert "gatepost_bank_failures_total 0.0" not in await metrics(gateway)


async def test_a_shadow_policy_is_told_of_and_changes_nothing(tmp_path):
    severe = content(name="severe", thresholds={"spam": {"review": 0.05, "block": 0.1}})
    (tmp_path / "severe.yaml").write_text(yaml.safe_dump(severe), encoding="utf-8")
    settings = {"policies": str(tmp_path), "shadow_policies": ("severe",), "http_listen": "127.0.0.1:0"}
    async with running_gateway(**settings) as gateway:
        assert (await judged(gateway)).decision == ALLOW
        told = 'gatepost_shadow_decisions_total{decided="ALLOW",policy="severe",would="BLOCK"} 1.0'
        async with asyncio.timeout(30.0):
            while told not in await metrics(gateway):
                await asyncio.sleep(0.05)


def test_an_image_is_added_with_all_that_it_is_compared_by(tmp_path):
    card = tmp_path / "card.png"
    Image.effect_mandelbrot((320, 240), (-2.0, -1.5, 1.0, 1.5), 60).convert("RGB").save(card)
    bank = str(tmp_path / "bank.db")
    answer = CliRunner().invoke(app, ["bank", "add", "--label", "hate", "--image", str(card), "--bank", bank])
    assert answer.exit_code == 0, answer.output
    entry = asyncio.run(_entries(bank))[0]
    assert entry.sha256 == hashlib.sha256(card.read_bytes()).hexdigest()
    assert len(entry.pdq) == 64
    assert sum(value * value for value in entry.embedding) == pytest.approx(1.0, abs=1e-3)
    assert entry.embedding_model.startswith("gatepost-clip")


async def _entries(place: str):
    store = SqlBank.at(place)
    found = (await store.entries())[1]
    await store.close()
    return found
