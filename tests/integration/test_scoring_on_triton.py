"""The gateway's scorer against the real ensemble."""

from __future__ import annotations

import asyncio
import io

import pytest
from PIL import Image, ImageDraw

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.labels import CATEGORIES, StageName
from gatepost_server.scoring.base import Priority
from gatepost_server.scoring.triton import TritonEndpoint, TritonScorer
from tests.builders import request

pytestmark = pytest.mark.integration


def card(text: str, size: tuple[int, int] = (640, 480)) -> bytes:
    """A PNG with large black letters on white."""
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).text((40, 200), text, fill="black", font_size=60)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
async def scorer(triton):
    scorer = TritonScorer(TritonEndpoint(address=triton.grpc_address))
    yield scorer
    await scorer.close()


async def test_a_card_is_read_and_seen_by_every_stage(scorer):
    evidence = await scorer.score(request(image=card("Happy New Year"), prompt="a card"), timeout_s=30.0)
    assert {report.stage for report in evidence.reports} == set(StageName)
    assert evidence.fused.keys() == set(CATEGORIES)
    assert (evidence.image.width, evidence.image.height, evidence.image.format) == (640, 480, "PNG")
    (line,) = evidence.lines
    assert line.text.replace(" ", "").casefold() == "happynewyear"
    assert line.expected is None
    xs, ys = zip(*line.polygon, strict=True)
    assert min(xs) >= 20
    assert max(xs) <= 600
    assert 180 <= min(ys) < max(ys) <= 300
    assert -1.0 <= evidence.prompt_similarity <= 1.0
    assert evidence.embedding == ()


async def test_expected_texts_and_the_embedding_come_when_they_are_asked_for(scorer):
    asked = request(image=card("Happy New Year"), expected_text=("Happy New Year",), want_embedding=True)
    evidence = await scorer.score(asked, timeout_s=30.0)
    assert evidence.lines[0].expected > 0.9
    assert sum(value * value for value in evidence.embedding) == pytest.approx(1.0, abs=1e-3)
    assert evidence.prompt_similarity is None


@pytest.mark.parametrize(
    ("image", "reasons"),
    [
        (b"not an image", {ErrorReason.IMAGE_FORMAT_UNSUPPORTED}),
        (card("Hello")[:200], {ErrorReason.IMAGE_TRUNCATED, ErrorReason.IMAGE_CORRUPT}),
    ],
)
async def test_a_bad_image_is_the_callers_mistake_and_its_neighbours_are_served(scorer, image, reasons):
    good = [scorer.score(request(image=card(f"Card {index}")), timeout_s=30.0) for index in range(3)]
    results = await asyncio.gather(
        *good, scorer.score(request(image=image), timeout_s=30.0, priority=Priority.RESCAN), return_exceptions=True
    )
    *served, refused = results
    assert all(not isinstance(result, BaseException) for result in served)
    assert isinstance(refused, GatepostError)
    assert refused.code is ErrorCode.INVALID_ARGUMENT
    assert refused.reason in reasons
    assert refused.field == "image"


async def test_a_deadline_ends_the_wait(scorer):
    with pytest.raises(GatepostError) as caught:
        await scorer.score(request(image=card("Hello")), timeout_s=0.001)
    assert caught.value.reason is ErrorReason.DEADLINE


async def test_the_ensemble_is_ready(scorer):
    assert await scorer.ready()
