"""What a caller sees of a real gatepost."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.demo.card import Card, read_manifest
from benchmarks.stack import Stack
from gatepost_client import Category, Client, Decision, Item, NotFound, SpanKind

ASKED_FOR = "新年快乐,仕途顺遂"


@pytest.mark.parametrize("sample", read_manifest(), ids=lambda sample: sample.file)
def test_every_sample_card_gets_the_decision_that_its_manifest_calls_right(client: Client, sample: Card) -> None:
    verdict = client.moderate(
        sample.path, prompt=sample.prompt, expected_text=sample.expected_text, locale=sample.locale
    )
    assert verdict.decision in sample.decisions, [str(reason) for reason in verdict.reasons]


def test_the_incident_is_blocked_with_its_grounds_its_place_and_a_kind_message(
    client: Client, card: dict[str, bytes]
) -> None:
    verdict = client.moderate(card["new_year_replaced"], expected_text=[ASKED_FOR], locale="zh-CN")
    assert verdict.decision is Decision.BLOCK
    gravest = verdict.reasons[0]
    assert gravest.category is not None
    assert gravest.score is not None
    assert gravest.threshold is not None
    assert gravest.score >= gravest.threshold
    insult = max(verdict.lines, key=lambda line: line.scores.get(Category.INSULT, 0.0))
    assert insult.expected is not None
    assert insult.expected < 0.5
    assert all(0 <= x <= verdict.image.width and 0 <= y <= verdict.image.height for x, y in insult.polygon)
    assert verdict.user_message is not None
    assert verdict.user_message.locale.startswith("zh")
    assert insult.text not in verdict.user_message.text
    assert verdict.asked_text is not None
    unexpected = list(verdict.asked_text.of(SpanKind.UNEXPECTED))
    assert any(verdict.lines.index(insult) in span.lines for span in unexpected)
    assert verdict.scores[Category.OFF_SCRIPT] == max(span.score for span in unexpected)


def test_a_verdict_says_what_was_looked_at_and_by_what(client: Client, card: dict[str, bytes]) -> None:
    image = card["new_year"]
    verdict = client.moderate(image, expected_text=[ASKED_FOR], prompt="新年贺卡", embedding=True)
    assert verdict.decision is Decision.ALLOW
    assert verdict.image.sha256 == hashlib.sha256(image).hexdigest()
    assert len(verdict.image.pdq) == 64
    assert verdict.coverage.complete
    assert verdict.asked_text is not None
    assert {span.kind for span in verdict.asked_text.spans} == {SpanKind.MATCHED}
    stages = [stage.stage for stage in verdict.coverage.stages]
    assert stages == ["decode", "ocr_detect", "ocr_recognize", "text_toxicity", "clip", "fusion"]
    assert {*stages, "queue", "gateway", "total"} <= set(verdict.timings_ms)
    assert sum(x * x for x in verdict.embedding) == pytest.approx(1.0, abs=1e-3)
    assert verdict.prompt_similarity is not None
    assert len(verdict.models) >= 4
    assert verdict.policy.name == "greeting-card"


def test_a_verdict_can_be_fetched_again_by_its_name(client: Client, card: dict[str, bytes]) -> None:
    given = client.moderate(card["fish"])
    assert client.get_verdict(given.name).decision is given.decision
    with pytest.raises(NotFound):
        client.get_verdict("verdicts/00000000-0000-0000-0000-000000000000")


def test_the_same_image_gives_the_same_scores_alone_and_in_a_crowd(client: Client, card: dict[str, bytes]) -> None:
    alone = client.moderate(card["couplets_cursed"]).scores
    crowd = [Item(image) for image in card.values()] + [Item(card["couplets_cursed"], request_id="same")]
    results = {r.request_id: r for r in client.moderate_stream(crowd, window=8)}
    together = results["same"].verdict
    assert together is not None
    assert dict(together.scores) == pytest.approx(dict(alone), abs=0.01)


def test_a_stricter_policy_is_one_name_away(client: Client, card: dict[str, bytes]) -> None:
    assert {policy.name for policy in client.list_policies()} >= {"greeting-card", "strict"}
    assert client.get_policy().name == "greeting-card"

    def of_spam(policy: str) -> Decision:
        verdict = client.moderate(card["advert"], policy=policy)
        assert verdict.policy.name == policy
        return next(reason.decision for reason in verdict.reasons if reason.category is Category.SPAM)

    assert (of_spam("greeting-card"), of_spam("strict")) == (Decision.REVIEW, Decision.BLOCK)


def test_the_annotated_image_is_a_picture_of_the_same_size(client: Client, card: dict[str, bytes]) -> None:
    verdict = client.moderate(card["knife"], annotated_image=True)
    with Image.open(io.BytesIO(verdict.annotated_image)) as drawn:
        assert drawn.format == "PNG"
        assert drawn.width >= verdict.image.width


def test_the_command_line_prints_one_object_a_line_and_exits_1_when_something_is_not_allowed(
    stack: Stack, card: dict[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / "kind.jpg").write_bytes(card["new_year"])
    (tmp_path / "unkind.jpg").write_bytes(card["new_year_replaced"])
    (tmp_path / "broken.jpg").write_bytes(card["new_year"][:2000])
    command = [sys.executable, "-m", "gatepost_client.cli", "check", str(tmp_path), "--json", "--target", stack.address]
    command += ["--expected-text", ASKED_FOR, "--timeout", "60", "--annotate", str(tmp_path / "drawn")]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    answers = {Path(line["source"]).stem: line for line in map(json.loads, finished.stdout.splitlines())}
    assert finished.returncode == 3, finished.stderr
    assert answers["kind"]["decision"] == "ALLOW"
    assert answers["unkind"]["decision"] == "BLOCK"
    assert answers["broken"]["error"]["reason"] == "IMAGE_TRUNCATED"
    assert set(answers["kind"]) == {
        *("source", "name", "decision", "reasons", "scores", "lines", "asked_text", "tightening"),
        *("user_message", "coverage", "image", "policy", "models", "ticket", "timing_ms"),
    }
    assert answers["unkind"]["name"].startswith("verdicts/")  # for an appeal
    assert answers["unkind"]["user_message"]["text"]
    assert {span["kind"] for span in answers["kind"]["asked_text"]["spans"]} == {"matched"}
    assert len(list((tmp_path / "drawn").iterdir())) == 2
