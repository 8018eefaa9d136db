"""Receipts and canaries of the real stack."""

from __future__ import annotations

import io
import random
import urllib.request
from datetime import UTC, datetime
from importlib.resources import files

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from PIL import Image, ImageDraw, ImageFont

from benchmarks.stack import Stack
from gatepost_client import Client, Decision
from gatepost_server.gateway.canary_cards import SUBJECTS, draw


def test_the_stack_serves_because_its_canaries_were_right(stack: Stack) -> None:
    with grpc.insecure_channel(stack.address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for service in ("", "gatepost.v1.ModerationService", "gatepost.models", "gatepost.canaries"):
            answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
    with urllib.request.urlopen(f"http://{stack.http}/metrics", timeout=10) as page:
        figures = page.read().decode()
    assert "gatepost_models_trusted 1.0" in figures
    for kind in [f"{good}-{kind}" for kind in SUBJECTS for good in ("good", "bad")]:  # the first round has them all
        assert f'gatepost_canary_answers_total{{kind="{kind}",outcome="right"}}' in figures


@pytest.mark.parametrize("good", ["good", "bad"])
@pytest.mark.parametrize("kind", SUBJECTS)
def test_every_card_that_today_may_have_is_answered_rightly(client: Client, kind: str, good: str) -> None:
    today = datetime.now(UTC).date()
    for subject in SUBJECTS[kind][good]:
        decision = client.moderate(draw(kind, subject, today, random.Random()), timeout=60).decision
        assert (decision is Decision.ALLOW) is (good == "good"), subject


def test_an_allowed_card_has_a_receipt_of_views_tiles_lines_and_scripts(client: Client, card: dict[str, bytes]) -> None:
    verdict = client.moderate(card["moon_festival"])
    assert verdict.decision is Decision.ALLOW
    stages = {stage.stage: stage.looked_at for stage in verdict.coverage.stages}
    lines = stages["ocr_detect"]["lines"]
    assert stages["decode"]["views"] == stages["ocr_detect"]["views"] == stages["clip"]["views"] == 1
    assert stages["clip"]["tiles"] > 1
    assert lines == stages["ocr_recognize"]["lines"] == stages["text_toxicity"]["lines"] == stages["fusion"]["lines"]
    assert verdict.coverage.scripts.keys() == {"Hani", "Latn"}
    assert verdict.coverage.unjudged_scripts == ()


def test_every_sample_card_is_looked_at_whole(client: Client, card: dict[str, bytes]) -> None:
    """Animations, transparent stickers, columns: the stages' counts add up for all of them."""
    for name, image in card.items():
        coverage = client.moderate(image, prompt="a card", timeout=60).coverage
        assert coverage.complete, (name, coverage)


def test_kind_words_in_a_script_that_nothing_judges_go_to_a_person(client: Client) -> None:
    face = io.BytesIO((files("gatepost_client") / "fonts" / "gatepost-sans-sc.otf").read_bytes())
    picture = Image.new("RGB", (640, 320), "#fff8e7")
    ImageDraw.Draw(picture).text((60, 110), "おめでとう", font=ImageFont.truetype(face, 72), fill="#402010")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    verdict = client.moderate(buffer.getvalue())
    assert verdict.decision is Decision.REVIEW
    assert [reason.detail for reason in verdict.reasons] == ["script:Hira"]
    assert verdict.coverage.unjudged_scripts == ("Hira",)
    assert not verdict.coverage.complete
