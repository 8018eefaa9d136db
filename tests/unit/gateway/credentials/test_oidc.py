"""Tokens of an OIDC issuer: what is believed, and everything that is not."""

from __future__ import annotations

import hmac
import time

import jwt
import pytest
import structlog
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gatepost_server.gateway.credentials.caller import Role
from gatepost_server.gateway.credentials.issuer_keys import KeyFile
from gatepost_server.gateway.credentials.oidc import OidcTerms, OidcTokens
from tests.authorities import AUDIENCE, ISSUER, Issuer
from tests.minting import base64url, segment


@pytest.fixture
def issuer():
    return Issuer()


@pytest.fixture
def tokens(issuer, tmp_path):
    (tmp_path / "jwks.json").write_text(issuer.jwks())

    def with_(**terms) -> OidcTokens:
        return OidcTokens(OidcTerms(ISSUER, AUDIENCE, **terms), KeyFile(tmp_path / "jwks.json"))

    return with_


async def test_a_good_token_says_tenant_and_roles(issuer, tokens):
    found = await tokens().find(issuer.token())
    assert (found.tenant, found.roles, found.credential) == ("cards", {Role.MODERATE, Role.READ}, "oidc:backend-7")


REFUSED = {  # times: seconds from now
    "expired": {"exp": -60},
    "without an end": {"exp": None},
    "not yet good": {"nbf": 600},
    "another issuer's": {"iss": "https://issuer.example.evil"},
    "without issuer": {"iss": None},
    "for another audience": {"aud": "gatepost-staging"},
    "without audience": {"aud": None},
    "without subject": {"sub": None},
    "of an unknown key": {"header": {"kid": "key-2"}},
    "without key id": {"header": {"kid": None}},
    "without tenant": {"tenant": None},
    "of a tenant that is a number": {"tenant": 7},
    "of a tenant that breaks a log": {"tenant": "cards\nroot"},
}


@pytest.mark.parametrize("changed", REFUSED.values(), ids=REFUSED)
async def test_a_token_is_refused(issuer, tokens, changed):
    token = issuer.token(
        **{name: _moment(value) if name in ("exp", "nbf") else value for name, value in changed.items()}
    )
    with structlog.testing.capture_logs() as logs:
        assert await tokens().find(token) is None
    assert [line["event"] for line in logs] == ["jwt_refused"]
    assert token.split(".")[1] not in str(logs)


async def test_another_key_under_the_issuers_name_is_refused(issuer, tokens):
    assert await tokens().find(Issuer(key=ec.generate_private_key(ec.SECP256R1())).token()) is None


async def test_algorithms_are_ours_to_choose_and_never_the_tokens(issuer, tokens):
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    header = {"kid": issuer.kid}
    unsigned = f"{segment({'alg': 'none', **header})}.{segment(claims)}."
    public = issuer.key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    signed = f"{segment({'alg': 'HS256', **header})}.{segment(claims)}"
    with_the_public_key = f"{signed}.{base64url(hmac.digest(public, signed.encode(), 'sha256'))}"
    for token in (unsigned, with_the_public_key):
        assert await tokens().find(token) is None
    assert await tokens(algorithms=("RS256",)).find(issuer.token()) is None
    assert await tokens(algorithms=("ES256",)).find(issuer.token())


async def test_a_changed_claim_breaks_the_signature(issuer, tokens):
    head, _, signature = issuer.token().split(".")
    claims = jwt.decode(issuer.token(tenant="posters"), options={"verify_signature": False})
    assert await tokens().find(f"{head}.{segment(claims)}.{signature}") is None


@pytest.mark.parametrize("token", ["a.b.c", "..", "e30.e30.e30", "\x00.\x00.\x00", "é.é.é"])
async def test_garbage_is_refused(tokens, token):
    assert await tokens().find(token) is None


async def test_clocks_may_differ_a_little(issuer, tokens):
    late = issuer.token(exp=_moment(-5))
    assert await tokens(leeway_s=120.0).find(late)
    assert await tokens(leeway_s=0.0).find(late) is None


@pytest.mark.parametrize(
    ("claims", "terms", "roles"),
    [
        ({"roles": ["read", "superuser", 7]}, {}, {Role.READ}),
        ({"roles": None}, {}, set()),
        ({"roles": {"read": True}}, {}, set()),
        ({"scope": "openid moderate read"}, {"roles_claim": "scope"}, {Role.MODERATE, Role.READ}),
        ({"realm_access": {"roles": ["admin"]}}, {"roles_claim": "realm_access.roles"}, {Role.ADMIN}),
        (
            {"roles": ["gatepost:read", "admin"]},
            {"role_prefix": "gatepost:"},
            {Role.READ},
        ),
        ({"https://corp.example/roles": ["read"]}, {"roles_claim": "https://corp.example/roles"}, {Role.READ}),
    ],
)
async def test_roles_stand_where_the_operator_says_and_others_words_mean_nothing(issuer, tokens, claims, terms, roles):
    assert (await tokens(**terms).find(issuer.token(**claims))).roles == roles


async def test_the_tenant_stands_where_the_operator_says(issuer, tokens):
    found = await tokens(tenant_claim="org.id").find(issuer.token(org={"id": "org_7"}))
    assert found.tenant == "org_7"


def _moment(from_now_s: int | None) -> int | None:
    return None if from_now_s is None else int(time.time()) + from_now_s
