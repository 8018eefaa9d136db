"""Secrets of every kind, real processes, errors of every kind: nothing secret in a log, an error or an answer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from gatepost.v1 import moderation_pb2 as wire
from gatepost.v1 import moderation_pb2_grpc, policy_pb2, policy_pb2_grpc, ticket_pb2, ticket_pb2_grpc
from tests.gateways import script
from tests.secret_house import MARK, START_S, SecretHouse

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


def request(**fields) -> wire.ModerateRequest:
    return wire.ModerateRequest(**{"image": b"a card", **fields})


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "folder").mkdir()
    return tmp_path


@pytest.mark.parametrize(("level", "form"), [("debug", "json"), ("info", "console")])
def test_neither_callers_nor_logs_are_told_a_secret_whatever_goes_wrong(folder, level, form):
    house = SecretHouse(folder, level=level, form=form)
    try:
        with house.channel() as channel:
            codes = provoked(house, channel)
    finally:
        house.close()

    assert codes >= {
        "OK",
        "UNAUTHENTICATED",
        "PERMISSION_DENIED",
        "INVALID_ARGUMENT",
        "NOT_FOUND",
        "INTERNAL",
        "UNAVAILABLE",
    }
    secrets = house.secrets
    heard = "\n".join(house.heard)
    assert not [secret for secret in secrets if secret in house.printed]
    assert not [secret for secret in secrets if secret in heard]
    assert str(folder) not in heard, "a server's path"
    assert "not_let_in" in house.printed  # the log was on


def provoked(house: SecretHouse, channel) -> set[str]:
    """Every kind of error that a caller can bring about, and then those that a broken server brings about."""
    moderation = moderation_pb2_grpc.ModerationServiceStub(channel)
    policies = policy_pb2_grpc.PolicyServiceStub(channel)
    keys = ticket_pb2_grpc.TicketKeyServiceStub(channel)
    moderate, good = moderation.Moderate, f"Bearer {house.asker}"
    raw = channel.unary_unary("/gatepost.v1.ModerationService/Moderate", lambda data: data, lambda data: data)
    jwt = f"eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.eyJzdWIiOiIx{MARK}In0.{MARK}"
    codes = {
        house.call(moderate, request(prompt=MARK, labels={"app": MARK}), good),
        house.call(moderate, request(), f"Bearer plain-{MARK}"),
        house.call(moderate, request()),
        house.call(moderate, request(), f"Bearer {MARK}"),
        house.call(moderate, request(), f"Basic {MARK}"),
        house.call(moderate, request(), f"Bearer {jwt}"),
        house.call(moderate, request(), good, good),
        house.call(moderate, request(), f"{good}x"),
        house.call(moderate, request(), f"Bearer {house.revoked}"),
        house.call(moderate, request(), f"Bearer {house.reader}"),
        house.call(moderate, request(policy=f"{MARK[:3]}-none"), good),
        house.call(moderate, request(image=b"", image_uri=f"https://elsewhere.example/card?signature={MARK}"), good),
        house.call(moderate, request(image=b"", image_uri=f"http://127.0.0.1:9/card?signature={MARK}"), good),
        house.call(moderate, request(image=b"", image_uri=f"http://u:{MARK}@127.0.0.1:9/card"), good),
        house.call(moderate, request(image=b"", image_uri=f"file://{house.folder}/tokens.json"), good),
        house.call(moderate, request(image=b"", image_uri=f"file://{house.folder}/images/folder"), good),
        house.call(moderate, request(image=script(error={"code": MARK, "reason": MARK})), good),  # a fault of ours
        house.call(moderate, request(image=script(lines=[{"text": MARK}])), good),
        house.call(raw, b"\x0a\xff" + MARK.encode(), good),
        house.call(moderation.GetVerdict, wire.GetVerdictRequest(name=f"verdicts/{MARK[:3]}"), good),
        house.call(policies.ListPolicies, policy_pb2.ListPoliciesRequest(page_token="%%%"), good),
        house.call(keys.ListTicketKeys, ticket_pb2.ListTicketKeysRequest()),
    }
    for path in ("/.well-known/jwks.json", "/readyz", "/healthz", "/metrics", f"/{MARK[:3]}"):
        house.page(path)
    shutil.rmtree(house.folder / "store")
    codes.add(house.call(moderate, request(image=script(delay_s=60)), good, timeout=1.0))
    for path in house.ring.folder.glob("*.pem"):
        path.rename(path.with_suffix(".away"))
    (house.ring.folder / "ring.json").write_text(MARK)
    codes.add(house.call(moderate, request(image=b"another card"), good))
    for path in house.ring.folder.glob("*.away"):
        path.rename(path.with_suffix(".pem"))
    (house.folder / "tokens.json").write_text(MARK)
    codes.add(house.call(moderate, request(image=b"a third card"), good))
    return codes


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
    )


WRONG = {
    "tokens that are no list": {"TOKENS": MARK},
    "tokens that are a table": {"TOKENS": f'{{"a": "{MARK}"}}'},
    "a database's port": {"BACKLOG": f"postgresql+psycopg://u:{MARK}@127.0.0.1:{MARK}/db"},
    "a kind of database": {"BACKLOG": f"postgresq://u:{MARK}@127.0.0.1/db"},
    "a database's slashes": {"BACKLOG": f"postgresql+psycopg:/u:{MARK}@127.0.0.1/db"},
    "a database that is away": {"BACKLOG": f"postgresql+psycopg://u:{MARK}@127.0.0.1:1/db?connect_timeout=2"},
    "a prefix with a password": {"IMAGE_URI_PREFIXES": f'["https://u:{MARK}@host.example/"]'},
    "a prefix with a query": {"IMAGE_URI_PREFIXES": f'["https://host.example/?signature={MARK}"]'},
    "an unknown field": {"OIDC__CLIENT_SECRET": MARK},
    "another setting": {"BACKLOG": f"postgresql://u:{MARK}@127.0.0.1/db", "MAX_BYTES_IN_FLIGHT": "1"},
    "the files of TLS": {"TLS__CERTIFICATE": "FILE", "TLS__KEY": "FILE"},
    "the file of tokens": {"CREDENTIALS": "FILE"},
    "the file of tenants": {"TENANTS": "FILE"},
}


@pytest.mark.parametrize("settings", WRONG.values(), ids=WRONG)
def test_a_gateway_that_cannot_start_says_why_without_the_secret(tmp_path, settings):
    (tmp_path / "file").write_text(f"-----BEGIN PRIVATE KEY-----\n{MARK}\n-----END PRIVATE KEY-----\n")
    environment = {
        f"GATEPOST_GATEWAY_{name}": str(tmp_path / "file") if value == "FILE" else value
        for name, value in settings.items()
    }
    ended = run(
        "gatepost_server.cli",
        "gateway",
        "--port",
        "0",
        GATEPOST_LOG_LEVEL="debug",
        GRPC_VERBOSITY="debug",
        **environment,
    )
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1
    assert "gatepostd: " in said
    assert "Traceback" not in said
    assert MARK not in said


@pytest.mark.parametrize("arguments", [["up", "--help"], ["tokens", "list", "--help"], ["tokens", "list"]])
def test_help_and_lists_show_no_value(folder, arguments):
    house_tokens = folder / "tokens.json"
    made = run("gatepost_server.cli", "tokens", "new", "--tenant", "cards", "--file", str(house_tokens))
    token = made.stdout.strip()
    assert token.startswith("gatepost_")
    shown = run(
        "gatepost_server.cli",
        *arguments,
        GATEPOST_GATEWAY_CREDENTIALS=str(house_tokens),
        GATEPOST_GATEWAY_BACKLOG=f"postgresql://u:{MARK}@127.0.0.1/db",
        GATEPOST_GATEWAY_TOKENS=f'["{MARK}"]',
    )
    assert shown.returncode == 0
    assert shown.stdout
    assert not [secret for secret in (MARK, token, token.rpartition("_")[2]) if secret in shown.stdout + shown.stderr]


@pytest.mark.parametrize("token", [MARK, f"{MARK}\n"])
def test_the_command_line_that_cannot_reach_a_gateway_shows_no_token(tmp_path, token):
    (tmp_path / "card").write_bytes(b"a card")
    arguments = ["gatepost_client.cli", "check", str(tmp_path / "card"), "--target", "127.0.0.1:1", "--timeout", "2"]
    ended = run(*arguments, GATEPOST_TOKEN=token)
    assert ended.returncode == 3
    assert MARK not in ended.stdout + ended.stderr
