"""Bearer tokens against hashes."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta

import pytest
import structlog

from gatepost_server.gateway.credentials.bearer import BearerTokens
from gatepost_server.gateway.credentials.caller import Role
from gatepost_server.gateway.credentials.token_file import TokenFile, TokenStore
from gatepost_server.gateway.credentials.watched import WatchedFile


@pytest.fixture
def store(tmp_path):
    return TokenStore(tmp_path / "credentials.json")


@pytest.fixture
def opened(store, tmp_path):
    def open_(*plain: str, later: timedelta = timedelta()) -> BearerTokens:
        file = WatchedFile(tmp_path / "credentials.json", TokenFile.parse)
        return BearerTokens(file, plain, clock=lambda: datetime.now(UTC) + later)

    return open_


def test_a_token_says_whose_it_is(store, opened):
    ours, _ = store.new("cards", [Role.MODERATE])
    theirs, _ = store.new("posters", [Role.READ], id="posters-ci")
    tokens = opened()
    assert (tokens.find(ours).tenant, tokens.find(ours).roles) == ("cards", {Role.MODERATE})
    assert tokens.find(theirs).credential == "token:posters-ci"


def test_anything_else_is_nobodys(store, opened):
    token, entry = store.new("cards", [Role.READ], id="ci")
    other, _ = store.new("cards", [Role.READ])
    tokens = opened()
    wrong = (
        token[:-1],
        token + "x",
        token.swapcase(),
        f"gatepost_ci_{other.rpartition('_')[2]}",
        entry.sha256,
        "",
        "é",
    )
    assert [tokens.find(each) for each in wrong] == [None] * len(wrong)


@pytest.mark.parametrize(("later", "served"), [(timedelta(), False), (timedelta(hours=2), True), (timedelta(2), False)])
def test_a_token_counts_from_its_time_until_its_time(store, opened, later, served):
    token, _ = store.new("cards", [Role.READ], lifetime=timedelta(days=1), wait=timedelta(hours=1))
    assert (opened(later=later).find(token) is not None) is served


def test_revoking_and_rotating_count_at_once(store, opened):
    old, _ = store.new("cards", [Role.READ], id="old")
    tokens = opened()
    new, _ = store.new("cards", [Role.READ], id="new")
    assert tokens.find(old)
    assert tokens.find(new)
    store.revoke("old")
    assert tokens.find(old) is None
    assert tokens.find(new)


def test_a_token_of_the_settings_is_the_default_tenants(store, opened):
    store.new("cards", [Role.READ])
    found = opened("hunter2", "other").find("other")
    assert (found.tenant, found.roles) == ("default", {Role.MODERATE, Role.READ})
    assert BearerTokens(None, ["hunter2"]).find("hunter2")


def test_every_hash_that_may_be_meant_is_compared_in_constant_time(store, opened, monkeypatch):
    compared = []
    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append(b) or real(a, b))
    store.new("cards", [Role.READ], id="ci")
    tokens = opened("first", "second")
    for shown in ("first", "gatepost_ci_wrong", "gatepost_unknown_wrong"):
        compared.clear()
        tokens.find(shown)
        assert len(compared) == 3


def test_the_log_names_a_refused_token_and_never_shows_it(store, opened):
    token, _ = store.new("cards", [Role.READ], id="ci")
    store.revoke("ci")
    with structlog.testing.capture_logs() as logs:
        assert opened().find(token) is None
    assert ("token:ci", "revoked") in [(line.get("credential"), line.get("state")) for line in logs]
    assert token.rpartition("_")[2] not in str(logs)
