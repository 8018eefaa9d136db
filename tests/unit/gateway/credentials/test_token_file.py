"""The file of tokens: what is in it, what is not, how it changes."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta

import pytest

from gatepost_server.gateway.credentials.caller import Role
from gatepost_server.gateway.credentials.token_file import TokenFile, TokenState, TokenStore, digest, id_of
from gatepost_server.gateway.credentials.watched import FileError

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    return TokenStore(tmp_path / "state" / "credentials.json", clock=lambda: NOW)


def test_a_token_is_256_random_bits_behind_its_id_and_only_its_hash_is_kept(store, tmp_path):
    tokens = {store.new("cards", [Role.READ], id="ci")[0]} | {store.new("cards", [Role.READ])[0] for _ in range(20)}
    assert len(tokens) == 21
    assert all(len(token.removeprefix(f"gatepost_{id_of(token)}_")) == 43 for token in tokens)  # 32 bytes in base64
    text = (tmp_path / "state" / "credentials.json").read_text()
    assert not any(token in text or token.rpartition(f"{id_of(token)}_")[2] in text for token in tokens)
    assert {entry.sha256 for entry in store.read().tokens} == {digest(token).hex() for token in tokens}


def test_what_was_asked_for_is_what_is_kept(store):
    token, entry = store.new(
        "cards", [Role.READ, Role.MODERATE], id="ci", lifetime=timedelta(days=1), wait=timedelta(hours=1)
    )
    assert store.read().tokens == (entry,)
    assert (entry.id, entry.tenant, set(entry.roles)) == ("ci", "cards", {Role.MODERATE, Role.READ})
    assert (entry.not_before, entry.expires) == (NOW + timedelta(hours=1), NOW + timedelta(days=1))
    assert entry.caller(lambda: True).credential == "token:ci"
    assert token not in repr(entry)


def test_a_token_is_early_active_expired_or_revoked(store):
    store.new("cards", [Role.READ], id="ci", lifetime=timedelta(days=1), wait=timedelta(hours=1))
    (entry,) = store.read().tokens
    moments = (NOW, NOW + timedelta(hours=1), NOW + timedelta(days=1))
    assert [entry.state(moment) for moment in moments] == [TokenState.EARLY, TokenState.ACTIVE, TokenState.EXPIRED]
    store.revoke("ci")
    (entry,) = store.read().tokens
    assert {entry.state(moment) for moment in moments} == {TokenState.REVOKED}
    store.revoke("ci")
    assert store.read().tokens == (entry,)


@pytest.mark.parametrize(
    "asked",
    [
        {"tenant": "a b", "roles": [Role.READ]},
        {"tenant": "", "roles": [Role.READ]},
        {"tenant": "cards", "roles": []},
        {"tenant": "cards", "roles": [Role.READ], "id": "A_B"},
        {"tenant": "cards", "roles": [Role.READ], "id": "taken"},
    ],
)
def test_what_makes_no_token_changes_nothing(store, asked):
    store.new("cards", [Role.READ], id="taken")
    before = store.read()
    with pytest.raises(FileError):
        store.new(asked.pop("tenant"), asked.pop("roles"), **asked)
    assert store.read() == before


def test_an_unknown_token_cannot_be_revoked_and_a_missing_file_not_read(store):
    with pytest.raises(FileError, match="cannot be read"):
        store.read()
    with pytest.raises(FileError, match="no such token"):
        store.revoke("ci")


def test_a_new_file_is_its_owners_and_one_that_others_may_read_stays_so(store, tmp_path):
    path = tmp_path / "state" / "credentials.json"
    store.new("cards", [Role.READ], id="ci")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    store.revoke("ci")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert not list(path.parent.glob(".draft-*"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hunter2",
        '{"tokens": {"hunter2": 1}, "version": 2}',
        '{"version": 1, "tokens": [{"id": "ci", "tenant": "cards", "roles": ["hunter2"], "sha256": "hunter2"}]}',
    ],
)
def test_a_broken_file_says_what_is_wrong_and_quotes_nothing(text):
    with pytest.raises(FileError) as caught:
        TokenFile.parse(text.encode())
    assert str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_two_tokens_of_one_id_are_a_mistake(store):
    entry = store.new("cards", [Role.READ], id="ci")[1].model_dump(mode="json", exclude_none=True)
    with pytest.raises(FileError, match="share an id"):
        TokenFile.parse(json.dumps({"tokens": [entry, entry]}).encode())
