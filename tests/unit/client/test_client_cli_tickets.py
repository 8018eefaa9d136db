"""gatepost verify, keys, file-gate and check --tickets."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import Result
from typer.testing import CliRunner

from gatepost_client import Category, Decision
from gatepost_client.cli import app
from gatepost_client.testing import FakeServer, verdict
from tests.minting import Mint

IMAGE = b"a card"
MINT = Mint()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "card.png").write_bytes(IMAGE)
    (tmp_path / "jwks.json").write_text(MINT.jwks())
    return tmp_path


def run(*arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(app, list(arguments), **options)


def test_a_good_ticket_needs_no_server_and_no_more_than_its_image(place: Path) -> None:
    result = run("verify", "card.png", "--ticket", MINT.ticket(IMAGE))
    assert (result.exit_code, result.stdout.split()[:3]) == (0, ["released", "by", "verdicts/1"])


def test_the_ticket_may_stand_in_a_file_and_the_image_on_stdin(place: Path) -> None:
    (place / "card.png.jwt").write_text(MINT.ticket(IMAGE) + "\n")
    assert run("verify", "card.png", "--ticket", "card.png.jwt").exit_code == 0
    assert run("verify", "-", "--ticket", "card.png.jwt", input=IMAGE).exit_code == 0
    assert run("verify", "-", "--ticket", "card.png.jwt", input=b"a cart").exit_code == 1


@pytest.mark.parametrize(
    ("ticket", "reason"),
    [
        (MINT.ticket(b"a cart"), "IMAGE"),
        (MINT.ticket(IMAGE, exp=1), "EXPIRED"),
        (MINT.ticket(IMAGE, aud="strict"), "AUDIENCE"),
        (MINT.ticket(IMAGE, header={"alg": "none"}), "ALGORITHM"),
        (Mint("key-2").ticket(IMAGE), "KEY"),
    ],
)
def test_a_bad_one_ends_with_1_and_says_why(place: Path, ticket: str, reason: str) -> None:
    plain = run("verify", "card.png", "--ticket", ticket)
    assert (plain.exit_code, reason in plain.stdout) == (1, True)
    as_json = run("verify", "card.png", "--ticket", ticket, "--json")
    assert (as_json.exit_code, json.loads(as_json.stdout)) == (1, {"released": False, "reason": reason})


def test_json_says_everything(place: Path) -> None:
    said = json.loads(run("verify", "card.png", "--ticket", MINT.ticket(IMAGE), "--json").stdout)
    assert said["released"] is True
    assert said["policy"] == {"name": "greeting-card", "version": "0123456789abcdef"}
    assert said["models"] == [{"name": "clip", "version": "1"}]
    assert said["key_id"] == "key-1"


def test_audience_and_keys_may_stand_in_the_environment(place: Path) -> None:
    (place / "jwks.json").rename(place / "elsewhere.json")
    environment = {"GATEPOST_JWKS": "elsewhere.json", "GATEPOST_AUDIENCE": "strict"}
    assert run("verify", "card.png", "--ticket", MINT.ticket(IMAGE, aud="strict"), env=environment).exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["card.png", "--ticket", MINT.ticket(IMAGE), "--jwks", "missing.json"],
        ["missing.png", "--ticket", MINT.ticket(IMAGE)],
        ["card.png", "--ticket", "missing.jwt"],
        ["card.png"],
    ],
)
def test_what_is_not_there_is_wrong_usage(place: Path, arguments: list[str]) -> None:
    assert run("verify", *arguments).exit_code == 2


def test_from_check_to_verify(place: Path, fake_gatepost: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEPOST_TARGET", fake_gatepost.target)
    fake_gatepost.jwks = MINT.jwks()
    allowed = verdict()
    allowed.ticket = MINT.ticket(IMAGE)
    fake_gatepost.default = lambda request: (
        allowed if request.image == IMAGE else verdict(Decision.BLOCK, Category.INSULT)
    )
    (place / "bad.png").write_bytes(b"bad")
    (place / "more").mkdir()
    (place / "more" / "card.png").write_bytes(IMAGE)
    assert run("check", ".", "--tickets", "tickets").exit_code == 1
    assert sorted(path.name for path in (place / "tickets").iterdir()) == ["card.png-2.jwt", "card.png.jwt"]
    (place / "keys.json").write_text(run("keys").stdout)
    assert run("verify", "card.png", "--ticket", "tickets/card.png.jwt", "--jwks", "keys.json").exit_code == 0
    assert run("verify", "bad.png", "--ticket", "tickets/card.png.jwt", "--jwks", "keys.json").exit_code == 1


def test_an_allow_without_a_ticket_is_said(place: Path, fake_gatepost: FakeServer) -> None:
    result = run("check", "card.png", "--tickets", "tickets", "--target", fake_gatepost.target)
    assert "signs none" in result.stderr
    assert not (place / "tickets").exists()


def test_keys_of_a_server_that_signs_none(fake_gatepost: FakeServer) -> None:
    assert run("keys", "--target", fake_gatepost.target).exit_code == 3


def test_the_file_gate_answers(place: Path) -> None:
    command = [sys.executable, "-m", "gatepost_client.cli", "file-gate", str(place), "--port", "0"]
    process = psutil.Popen(command, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not (listening := [c for c in process.net_connections("tcp") if c.status == psutil.CONN_LISTEN]):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        connection = http.client.HTTPConnection(*listening[0].laddr, timeout=10)
        for ticket, status in ((MINT.ticket(IMAGE), 204), (MINT.ticket(b"other"), 403)):
            headers = {"X-Original-URI": f"/images/card.png?ticket={ticket}"}
            connection.request("GET", "/", headers=headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status
        connection.close()
    finally:
        process.terminate()
        process.wait(20)


def test_a_prefix_without_slashes_is_wrong_usage(place: Path) -> None:
    assert run("file-gate", ".", "--prefix", "images").exit_code == 2
