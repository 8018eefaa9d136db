"""The gatepost command."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from click.testing import Result
from PIL import Image
from typer.testing import CliRunner

from gatepost.v1 import verdict_pb2
from gatepost_client import Category, Decision
from gatepost_client.cli import app
from gatepost_client.cli.sources import expand
from gatepost_client.testing import Failure, FakeServer, verdict

Check = Callable[..., Result]

ALLOW = verdict(text="新年快乐")
BLOCK = verdict(Decision.BLOCK, Category.INSULT, text="去死吧", score=0.97, threshold=0.8)
CORRUPT = Failure(grpc.StatusCode.INVALID_ARGUMENT, "IMAGE_CORRUPT", "cannot be decoded", "image")


def by_content(request: Any) -> Any:
    """What the fake server says of the cards below."""
    return {b"kind": ALLOW, b"ugly": BLOCK}.get(request.image, CORRUPT)


@pytest.fixture
def run(fake_gatepost: FakeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Check:
    fake_gatepost.default = by_content
    monkeypatch.setenv("GATEPOST_TARGET", fake_gatepost.target)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    for name, content in {
        "kind.png": b"kind",
        "ugly.jpg": b"ugly",
        "broken.gif": b"broken",
        "notes.txt": b"kind",
        "deep/er/kind.webp": b"kind",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return lambda *arguments, **options: CliRunner().invoke(app, [*map(str, arguments)], **options)


def objects(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    ("files", "code"),
    [
        (["kind.png"], 0),
        (["kind.png", "deep"], 0),
        (["kind.png", "ugly.jpg"], 1),
        (["broken.gif"], 3),
        (["missing.png", "kind.png"], 3),
        (["ugly.jpg", "broken.gif"], 3),
        (["broken.gif", "ugly.jpg"], 3),
    ],
)
@pytest.mark.parametrize("style", [[], ["--json"]])
def test_the_exit_code_tells_the_worst(run: Check, files: list[str], code: int, style: list[str]) -> None:
    assert run("check", *files, *style).exit_code == code


@pytest.mark.parametrize("decision", [Decision.REVIEW, Decision.HOLD])
def test_only_allow_is_a_success(run: Check, fake_gatepost: FakeServer, decision: Decision) -> None:
    fake_gatepost.script(verdict(decision))
    assert run("check", "kind.png").exit_code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["check"],
        ["check", "kind.png", "--no-such-option"],
        ["check", "kind.png", "--timeout", "0"],
        ["check", "kind.png", "--concurrency", "0"],
        ["check", "kind.png", "--ca-file", "missing.pem"],
        ["check", "kind.png", "--target", "far.example:1", "--token", "secret"],
        ["no-such-command"],
    ],
)
def test_wrong_usage_is_told_apart(run: Check, fake_gatepost: FakeServer, arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2
    assert not fake_gatepost.received


def test_a_verdict_is_one_object_with_exactly_these_keys(run: Check) -> None:
    (found,) = objects(run("check", "ugly.jpg", "--json"))
    assert list(found) == [
        "source",
        "name",
        "decision",
        "reasons",
        "scores",
        "lines",
        "asked_text",
        "tightening",
        "coverage",
        "image",
        "policy",
        "models",
        "ticket",
        "user_message",
        "timing_ms",
    ]
    assert list(found["lines"][0]) == ["text", "polygon", "confidence", "scores", "expected"]
    assert (found["source"], found["decision"], found["scores"]) == ("ugly.jpg", "BLOCK", {"insult": 0.97})
    assert found["lines"][0]["text"] == "去死吧"
    assert found["lines"][0]["polygon"] == [[8, 8], [120, 8], [120, 40], [8, 40]]
    assert found["reasons"][0]["code"] == "SCORE"


@pytest.mark.parametrize("decision", [Decision.REVIEW, Decision.BLOCK])
def test_what_is_stopped_is_shown_with_the_name_that_an_appeal_asks_for(
    run: Check, fake_gatepost: FakeServer, decision: Decision
) -> None:
    fake_gatepost.default = verdict(decision, Category.INSULT)
    assert "verdicts/fake-1" in run("check", "kind.png").stdout
    (described,) = objects(run("check", "kind.png", "--json"))
    assert described["name"] == "verdicts/fake-2"


def test_a_failure_is_one_object_with_exactly_these_keys(run: Check) -> None:
    broken, missing, folder = objects(run("check", "broken.gif", "missing.png", "deep/none*", "--json"))
    assert broken == {
        "source": "broken.gif",
        "error": {"code": "INVALID_ARGUMENT", "reason": "IMAGE_CORRUPT", "message": "cannot be decoded"},
    }
    assert missing["source"] == "missing.png"
    assert missing["error"]["reason"] == folder["error"]["reason"] == "FILE_NOT_FOUND"


def test_chinese_is_printed_as_it_is(run: Check) -> None:
    assert "去死吧" in run("check", "ugly.jpg", "--json").stdout
    assert "去死吧" in run("check", "ugly.jpg").stdout


def test_the_table_tells_what_is_not_as_it_was_asked_for(run: Check, fake_gatepost: FakeServer) -> None:
    message = verdict(Decision.REVIEW, Category.OFF_SCRIPT, text="今晚打老虎")
    kinds = verdict_pb2.AskedSpan
    message.asked_text.spans.add(kind=kinds.KIND_MATCHED, asked="新年快乐", drawn="新年快乐")
    message.asked_text.spans.add(kind=kinds.KIND_MISSING, asked="仕途顺遂")
    message.asked_text.spans.add(kind=kinds.KIND_UNEXPECTED, drawn="今晚打老虎", score=0.9)
    message.tightening.MergeFrom(verdict_pb2.Tightening(factor=0.75, grounds=["abuse"]))
    fake_gatepost.script(message)
    table = run("check", "kind.png", "--expected-text", "新年快乐,仕途顺遂").stdout
    assert "not asked for: 今晚打老虎 (0.90)" in table
    assert "missing: 仕途顺遂" in table
    assert "thresholds x 0.75: abuse" in table


def test_the_table_names_decisions_and_why(run: Check) -> None:
    shown = run("check", "kind.png", "ugly.jpg", "missing.png").stdout
    for words in ("kind.png", "ALLOW", "ugly.jpg", "BLOCK", "insult 0.97 ≥ 0.80", "missing.png", "ERROR", "FILE_NOT"):
        assert words in shown


def test_names_and_texts_are_neither_markup_nor_commands_to_the_terminal(run: Check, tmp_path: Path) -> None:
    name = "[red]a\x1b[2Jb.png"
    (tmp_path / name).write_bytes(b"kind")
    shown = run("check", name).stdout
    assert "[red]a" in shown
    assert "\x1b[2J" not in shown


def test_folders_and_patterns_stand_for_their_images_in_order(run: Check, tmp_path: Path) -> None:
    assert expand(["."]) == ["broken.gif", "kind.png", "ugly.jpg", "deep/er/kind.webp"]
    assert expand(["*.png", "**/*.webp"]) == ["kind.png", "deep/er/kind.webp"]
    assert expand(["notes.txt", "-", "kind.png", "kind.png"]) == ["notes.txt", "-", "kind.png"]
    assert expand(["deep/*", "nothing[0-9]"]) == ["deep/*", "nothing[0-9]"]
    (tmp_path / "odd[1].png").write_bytes(b"kind")
    assert expand(["odd[1].png"]) == ["odd[1].png"]
    assert [found["source"] for found in objects(run("check", ".", "--json"))] == expand(["."])


def test_the_standard_input_is_an_image(run: Check) -> None:
    (found,) = objects(run("check", "-", "--json", input=b"ugly"))
    assert (found["source"], found["decision"]) == ("-", "BLOCK")


def test_options_reach_the_server(run: Check, fake_gatepost: FakeServer) -> None:
    run(
        *("check", "kind.png", "--prompt", "a card", "--expected-text", "新年快乐", "--expected-text", "仕途顺遂"),
        *("--policy", "strict", "--locale", "zh-CN", "--token", "secret"),
    )
    received = fake_gatepost.received[0]
    request = received.request
    assert (request.prompt, list(request.expected_text)) == ("a card", ["新年快乐", "仕途顺遂"])
    assert (request.policy, request.locale) == ("strict", "zh-CN")
    assert request.extras.evidence
    assert received.metadata["authorization"] == "Bearer secret"


def test_annotated_images_are_written_under_names_of_their_own(
    run: Check, fake_gatepost: FakeServer, tmp_path: Path
) -> None:
    fake_gatepost.default = BLOCK
    buffer = io.BytesIO()
    Image.new("RGB", (400, 300), "red").save(buffer, "PNG")
    for name in ("one/card.png", "two/card.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(buffer.getvalue())
    result = run("check", "one", "two", "-", "kind.png", "--annotate", "out/drawn", input=buffer.getvalue())
    assert result.exit_code == 1
    drawn = sorted((tmp_path / "out" / "drawn").iterdir())
    assert [path.name for path in drawn] == ["card-2.annotated.png", "card.annotated.png", "stdin.annotated.png"]
    for path in drawn:
        with Image.open(path) as image:
            assert image.width == 512  # small images are enlarged
    assert "kind.png: not annotated" in result.stderr


def test_a_thousand_files_are_checked_in_order_through_a_small_window(
    run: Check, fake_gatepost: FakeServer, tmp_path: Path
) -> None:
    (tmp_path / "many").mkdir()
    for number in range(1000):
        (tmp_path / "many" / f"{number:04}.png").write_bytes(b"kind" if number % 10 else b"ugly")
    found = objects(run("check", "many", "--json", "--concurrency", "4"))
    assert [one["source"] for one in found] == [f"many/{number:04}.png" for number in range(1000)]
    assert sum(one["decision"] == "BLOCK" for one in found) == 100
    paged = run("check", "many").stdout
    assert paged.count("decision") == 10


def test_without_a_server_every_file_fails(run: Check) -> None:
    result = run("check", "kind.png", "ugly.jpg", "--json", "--target", "127.0.0.1:1")
    assert result.exit_code == 3
    assert [one["error"]["code"] for one in objects(result)] == ["UNAVAILABLE"] * 2


def test_policies_are_listed(run: Check) -> None:
    assert "greeting-card" in run("policies").stdout
    (policy,) = objects(run("policies", "--json"))
    assert (policy["name"], policy["default"]) == ("greeting-card", True)
    failed = run("policies", "--target", "127.0.0.1:1")
    assert failed.exit_code == 3
    assert "UNAVAILABLE" in failed.stderr


def test_the_version_is_printed(run: Check) -> None:
    assert run("version").stdout == "gatepost-client 0.1.0 (gatepost.v1)\n"


def test_the_command_works_as_a_process(run: Check, fake_gatepost: FakeServer, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gatepost_client", "check", "kind.png", "ugly.jpg", "-", "--json"]
    done = subprocess.run(command, cwd=tmp_path, input=b"kind", capture_output=True, timeout=60, env={**os.environ})
    assert done.returncode == 1
    decisions = [json.loads(line)["decision"] for line in done.stdout.decode().splitlines()]
    assert decisions == ["ALLOW", "BLOCK", "ALLOW"]
    assert done.stderr == b""


def test_a_held_image_is_shown_with_the_command_that_waits_for_it(run: Check, fake_gatepost: FakeServer) -> None:
    fake_gatepost.default = verdict(Decision.HOLD, Category.INSULT, pending=True)
    result = run("check", "kind.png")
    assert result.exit_code == 1
    assert "gatepost watch verdicts/fake-1" in result.stdout
    (described,) = objects(run("check", "--json", "kind.png"))
    assert (described["name"], described["pending"]) == ("verdicts/fake-2", True)


@pytest.mark.parametrize(("final", "code"), [(ALLOW, 0), (BLOCK, 1)])
def test_watch_shows_what_becomes_of_a_held_image(run: Check, fake_gatepost: FakeServer, final: Any, code: int) -> None:
    fake_gatepost.default = verdict(Decision.HOLD, pending=True)
    run("check", "kind.png")
    threading.Timer(0.3, fake_gatepost.resolve, ["verdicts/fake-1", final]).start()
    result = run("watch", "--json", "verdicts/fake-1")
    assert result.exit_code == code
    assert [line.get("pending", False) for line in objects(result)] == [True, False]


def test_an_appeal_is_sent_and_a_watch_for_people_tells_what_they_say(run: Check, fake_gatepost: FakeServer) -> None:
    fake_gatepost.default = verdict(Decision.BLOCK, Category.INSULT)
    run("check", "kind.png")
    (stands,) = objects(run("appeal", "--json", "verdicts/fake-1", "--message", "why?"))
    assert (stands["decision"], stands["people"]["waiting"]) == ("BLOCK", True)
    assert [each.message for each in fake_gatepost.appeals] == ["why?"]
    granted = verdict()
    granted.people.appealed = granted.people.appeal_granted = True
    granted.user_message.text = "It was our mistake."
    threading.Timer(0.3, fake_gatepost.resolve, ["verdicts/fake-1", granted]).start()
    result = run("watch", "--until-people-decide", "verdicts/fake-1")
    assert result.exit_code == 0
    assert "It was our mistake." in result.stdout


def test_an_appeal_that_is_refused_says_why(run: Check, fake_gatepost: FakeServer) -> None:
    run("check", "kind.png")
    result = run("appeal", "verdicts/fake-1")
    assert result.exit_code == 3
    assert "NOTHING_TO_APPEAL" in result.stderr
    assert fake_gatepost.appeals == []


def test_watch_fails_where_the_image_is_still_held_or_nobody_knows_it(run: Check, fake_gatepost: FakeServer) -> None:
    fake_gatepost.default = verdict(Decision.HOLD, pending=True)
    run("check", "kind.png")
    assert run("watch", "verdicts/fake-1", "--timeout", 0.3).exit_code == 3
    unknown = run("watch", "verdicts/none")
    assert unknown.exit_code == 3
    assert "no such verdict" in unknown.stderr
