"""The keys of an issuer: asked for seldom, kept through a failure, none but public ones."""

from __future__ import annotations

import asyncio
import json

import pytest

from gatepost_server.gateway.credentials.issuer_keys import KeyAddress, KeyFile, KeysAwayError
from gatepost_server.gateway.credentials.watched import FileError
from tests.authorities import Issuer, rsa_jwk


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def issuer():
    return Issuer()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def keys(issuer, clock):
    with issuer.serving() as address:
        yield KeyAddress(address, clock=clock)


async def test_keys_are_asked_for_once_also_by_many_callers(issuer, keys):
    found = await asyncio.gather(*(keys.find("key-1") for _ in range(20)))
    assert all(found)
    assert issuer.requests == 1


async def test_made_up_key_ids_cost_the_issuer_one_request_a_while(issuer, keys, clock):
    assert await keys.find("key-1")
    clock.now += 20
    assert [await keys.find(f"made-up-{n}") for n in range(50)] == [None] * 50
    assert issuer.requests == 2


async def test_a_new_key_is_found_when_it_is_first_named(issuer, keys, clock):
    assert await keys.find("key-1")
    issuer.kid = "key-2"
    clock.now += 20
    assert await keys.find("key-2")
    assert await keys.find("key-1") is None


async def test_keys_grow_old_and_are_asked_for_again(issuer, keys, clock):
    assert await keys.find("key-1")
    issuer.kid = "key-2"
    clock.now += 301
    assert await keys.find("key-1") is None


async def test_an_issuer_that_is_away_for_a_while_locks_nobody_out_and_is_not_hammered(issuer, keys, clock):
    assert await keys.find("key-1")
    issuer.away = True
    clock.now += 1_000
    assert all([await keys.find("key-1") for _ in range(20)])
    assert issuer.requests == 2
    clock.now += 3_000
    with pytest.raises(KeysAwayError):
        await keys.find("key-1")
    issuer.away = False
    clock.now += 11
    assert await keys.find("key-1")


async def test_an_issuer_that_never_answered_lets_nobody_in(issuer, keys):
    issuer.away = True
    for _ in range(3):
        with pytest.raises(KeysAwayError):
            await keys.find("key-1")
    assert issuer.requests == 1


@pytest.mark.parametrize(
    "address", ["http://issuer.example/jwks", "ftp://issuer.example/jwks", "file:///etc/passwd", "://", "data:,x"]
)
def test_an_address_without_tls_is_refused(address):
    with pytest.raises(ValueError, match="https"):
        KeyAddress(address)


async def test_only_public_keys_that_are_long_enough_count(issuer, tmp_path):
    secret = {"kty": "oct", "kid": "secret", "k": "aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMg", "alg": "HS256"}
    encrypting = {**rsa_jwk(2_048, "encrypting"), "use": "enc"}
    more = (secret, encrypting, rsa_jwk(1_024, "short"), rsa_jwk(2_048, "long"))
    (tmp_path / "jwks.json").write_text(issuer.jwks(*more))
    keys = KeyFile(tmp_path / "jwks.json")
    found = {kid for kid in ("key-1", "secret", "encrypting", "short", "long") if await keys.find(kid)}
    assert found == {"key-1", "long"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"keys": []}', json.dumps({"keys": [{"kty": "oct", "k": "aGk"}]})])
def test_a_file_without_a_usable_key_is_refused(tmp_path, text):
    (tmp_path / "jwks.json").write_text(text)
    with pytest.raises(FileError):
        KeyFile(tmp_path / "jwks.json")
