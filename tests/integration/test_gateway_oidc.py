"""Tokens of an OIDC issuer, with a real server of keys."""

from __future__ import annotations

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gatepost.v1 import moderation_pb2 as wire
from gatepost_client import AsyncClient
from gatepost_server.gateway.credentials.token_file import TokenStore
from gatepost_server.gateway.credentials.watched import FileError
from tests.authorities import AUDIENCE, ISSUER, Issuer
from tests.gateways import Gateway, refused, running_gateway


@pytest.fixture
def issuer():
    return Issuer()


@pytest.fixture
def oidc(issuer):
    with issuer.serving() as address:
        yield {"issuer": ISSUER, "audience": AUDIENCE, "jwks": address}


def moderate(gateway: Gateway, token: str):
    metadata = (("authorization", f"Bearer {token}"),)
    return gateway.moderation.Moderate(wire.ModerateRequest(image=b"a card"), metadata=metadata, timeout=30)


async def test_tokens_of_the_issuer_let_in_with_their_tenant_and_roles(issuer, oidc, capfd):
    async with running_gateway(oidc=oidc) as gateway:
        for _ in range(5):
            name = (await moderate(gateway, issuer.token())).verdict.name
        metadata = (("authorization", f"Bearer {issuer.token(tenant='posters')}"),)
        refusal = await refused(gateway.moderation.GetVerdict(wire.GetVerdictRequest(name=name), metadata=metadata))
        assert refusal.code is grpc.StatusCode.NOT_FOUND
        refusal = await refused(moderate(gateway, issuer.token(roles=["read"])))
        assert refusal.info.reason == "ROLE_MISSING"
        async with AsyncClient(gateway.address, token=issuer.token, timeout=30) as client:
            assert (await client.moderate(b"a card")).allowed
    assert issuer.requests == 1
    assert "credential=oidc:backend-7" in capfd.readouterr().out


async def test_what_the_issuer_did_not_sign_for_us_is_refused_and_not_logged(issuer, oidc, capfd):
    stranger = Issuer(key=ec.generate_private_key(ec.SECP256R1()))
    wrong = [stranger.token(), issuer.token(aud="other"), issuer.token(exp=1), "a.b.c", "hunter2"]
    async with running_gateway(oidc=oidc) as gateway:
        for token in wrong:
            refusal = await refused(moderate(gateway, token))
            assert (refusal.code, refusal.message) == (
                grpc.StatusCode.UNAUTHENTICATED,
                "a valid credential is required",
            )
    log = capfd.readouterr().out
    assert "ExpiredSignatureError" in log
    assert not any(part in log for token in wrong for part in token.split(".") if len(part) > 4)


async def test_a_new_key_of_the_issuer_is_found_and_tokens_of_ours_go_on_beside_it(issuer, oidc, tmp_path):
    token, _ = TokenStore(tmp_path / "credentials.json").new("cards", ["moderate"])
    async with running_gateway(oidc=oidc, credentials=tmp_path / "credentials.json") as gateway:
        issuer.kid, issuer.key = "key-2", ec.generate_private_key(ec.SECP256R1())
        assert (await moderate(gateway, issuer.token())).verdict.name
        assert (await moderate(gateway, token)).verdict.name


async def test_an_issuer_that_is_away_is_no_fault_of_the_caller_and_lets_nobody_in(issuer, oidc, tmp_path):
    token, _ = TokenStore(tmp_path / "credentials.json").new("cards", ["moderate"])
    issuer.away = True
    async with running_gateway(oidc=oidc, credentials=tmp_path / "credentials.json") as gateway:
        refusal = await refused(moderate(gateway, issuer.token()))
        assert (refusal.code, refusal.info.reason) == (grpc.StatusCode.UNAVAILABLE, "ISSUER_UNAVAILABLE")
        assert refusal.retry_s
        assert (await moderate(gateway, token)).verdict.name


async def test_keys_may_stand_in_a_file(issuer, tmp_path):
    (tmp_path / "jwks.json").write_text(issuer.jwks())
    settings = {"issuer": ISSUER, "audience": AUDIENCE, "jwks": str(tmp_path / "jwks.json")}
    async with running_gateway(oidc=settings) as gateway:
        assert (await moderate(gateway, issuer.token())).verdict.name
        issuer.kid = "key-2"
        assert (await refused(moderate(gateway, issuer.token()))).code is grpc.StatusCode.UNAUTHENTICATED
        (tmp_path / "jwks.json").write_text(issuer.jwks())
        assert (await moderate(gateway, issuer.token())).verdict.name


async def test_an_address_of_keys_without_tls_stops_the_start():
    settings = {"issuer": ISSUER, "audience": AUDIENCE, "jwks": "http://issuer.example/jwks.json"}
    with pytest.raises(FileError, match="https"):
        async with running_gateway(oidc=settings):
            pass
