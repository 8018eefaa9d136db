"""Release tickets of a real gatepost that nobody configured."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from benchmarks.stack import Stack
from gatepost_client import Client, Decision
from gatepost_client.tickets import Jwks, JwksUrl, Refusal, TicketRefused, verify

ASKED_FOR = "新年快乐,仕途顺遂"
AUDIENCE = "greeting-card"


def test_an_allowed_card_carries_a_ticket_which_the_keys_confirm_over_grpc_and_http(
    client: Client, stack: Stack, card: dict[str, bytes]
) -> None:
    image = card["new_year"]
    verdict = client.gate(image, expected_text=[ASKED_FOR])
    assert verdict.decision is Decision.ALLOW
    shown = client.ticket_keys()
    over_http = JwksUrl(f"http://{stack.http}/.well-known/jwks.json")
    for keys in (Jwks(shown.jwks), over_http):
        found = verify(image, verdict.ticket, keys, audience=AUDIENCE, issuer=shown.issuer)
        assert found.verdict == verdict.name
        assert found.policy == verdict.policy
        assert set(found.models) == set(verdict.models)
        with pytest.raises(TicketRefused) as refused:
            verify(image[:-1] + bytes([image[-1] ^ 1]), verdict.ticket, keys, audience=AUDIENCE)
        assert refused.value.reason is Refusal.IMAGE


def test_a_blocked_card_carries_none(client: Client, card: dict[str, bytes]) -> None:
    verdict = client.gate(card["new_year_replaced"], expected_text=[ASKED_FOR])
    assert (verdict.decision, verdict.ticket) == (Decision.BLOCK, "")


def test_the_page_says_that_images_can_be_judged(stack: Stack) -> None:
    with urllib.request.urlopen(f"http://{stack.http}/healthz", timeout=10) as answer:
        assert json.load(answer) == {"status": "SERVING"}


def test_a_user_goes_from_check_to_verify(stack: Stack, card: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "card.png").write_bytes(card["new_year"])

    def gatepost(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "gatepost_client.cli", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=90)

    checked = gatepost("check", "card.png", "--expected-text", ASKED_FOR, "--tickets", ".", "--target", stack.address)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    (tmp_path / "jwks.json").write_text(gatepost("keys", "--target", stack.address).stdout)
    assert gatepost("verify", "card.png", "--ticket", "card.png.jwt").returncode == 0
    (tmp_path / "card.png").write_bytes(card["new_year"] + b"\n")
    assert gatepost("verify", "card.png", "--ticket", "card.png.jwt").returncode == 1
