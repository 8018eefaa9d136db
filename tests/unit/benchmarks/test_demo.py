"""The demo's cards are what the manifest says, and its run tells right from wrong."""

from __future__ import annotations

import io
import json

import grpc
import pytest
from PIL import Image
from rich.console import Console

from benchmarks.demo.card import CARDS, MANIFEST, read_manifest
from benchmarks.demo.run import Judged, judge, keep, table, why
from gatepost_client import Category, Client, Decision
from gatepost_client.testing import Failure, FakeServer, verdict
from gatepost_server.stages.base import StageResult
from gatepost_server.stages.decode.limits import Limits
from gatepost_server.stages.decode.stage import decode
from gatepost_server.tensors.facts import decode_facts

BY_FILE = {card.file: card for card in read_manifest()}


def test_every_file_is_in_the_manifest_and_small():
    files = {path.name for path in CARDS.iterdir()} - {MANIFEST.name}
    assert files == set(BY_FILE)
    assert len(files) >= 16
    assert all((CARDS / name).stat().st_size <= 200_000 for name in files)


def test_there_are_cards_to_show_and_cards_to_stop_in_both_languages():
    kinds = {(card.locale, "ALLOW" in card.decisions) for card in BY_FILE.values()}
    assert kinds == {("zh", True), ("zh", False), ("en", True), ("en", False)}
    assert all(set(card.decisions) <= set(Decision) for card in BY_FILE.values())


@pytest.mark.parametrize("name", BY_FILE)
def test_every_card_is_looked_at_whole(name):
    result = decode((CARDS / name).read_bytes(), Limits())
    assert isinstance(result, StageResult)
    assert result.skipped == ()


def test_the_animation_and_the_sticker_hide_what_only_another_view_shows():
    animation = decode((CARDS / "birthday_last_frame.gif").read_bytes(), Limits())
    assert isinstance(animation, StageResult)
    facts = decode_facts(animation.arrays["IMAGE_FACTS"][0])
    assert facts.views[-1].frame == facts.frames - 1 > 0
    sticker = decode((CARDS / "invisible_ink.png").read_bytes(), Limits())
    assert isinstance(sticker, StageResult)
    assert sticker.looked_at["views"] == 2


def _judged(*answers):
    with FakeServer() as server, Client(server.target, retries=0) as client:
        server.script(*answers)
        cards = [BY_FILE["new_year.jpg"], BY_FILE["new_year_replaced.jpg"]]
        return [judge(client, card) for card in cards], server.received


def test_a_card_is_asked_for_with_its_prompt_and_expected_text():
    _, (received, _) = _judged(verdict(Decision.ALLOW), verdict(Decision.BLOCK, Category.INSULT))
    assert received.request.prompt == BY_FILE["new_year.jpg"].prompt
    assert list(received.request.expected_text) == ["新年快乐,仕途顺遂"]
    assert received.request.image == BY_FILE["new_year.jpg"].path.read_bytes()


def test_a_decision_that_the_manifest_does_not_name_is_not_as_expected():
    judged, _ = _judged(verdict(Decision.REVIEW), verdict(Decision.BLOCK, Category.INSULT))
    assert [one.as_expected for one in judged] == [False, True]


def test_a_failure_is_never_as_expected():
    judged, _ = _judged(Failure(grpc.StatusCode.INTERNAL), Failure(grpc.StatusCode.INTERNAL))
    assert [one.as_expected for one in judged] == [False, False]
    assert why(judged[0].verdict)


def test_the_demo_keeps_verdicts_and_one_sheet(tmp_path):
    judged, _ = _judged(verdict(Decision.ALLOW), verdict(Decision.BLOCK, Category.INSULT))
    folder = tmp_path / "demo"
    keep(judged, folder)
    records = json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
    assert [record["decision"] for record in records] == ["ALLOW", "BLOCK"]
    with Image.open(folder / "contact_sheet.png") as sheet:
        assert sheet.width > 1000


def test_the_table_names_every_card():
    judged, _ = _judged(verdict(Decision.ALLOW), verdict(Decision.BLOCK, Category.INSULT))
    screen = io.StringIO()
    Console(file=screen, width=200).print(table(judged))
    assert all(one.card.file in screen.getvalue() for one in judged)
    assert isinstance(judged[0], Judged)
