"""Signing in to the console at an OpenID Connect issuer, a real one over HTTP."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from gatepost_server.console.oidc import Issuer
from gatepost_server.console.settings import ConsoleOidc
from gatepost_server.records.accounts import AccountRole
from tests.console_site import Site, site_in
from tests.web_servers import running_asgi


@dataclass
class House:
    """An issuer that lets everybody in as `claims` say, to whoever proves to have asked (PKCE)."""

    claims: dict[str, Any] = field(default_factory=dict)
    key: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    signing: Any = None
    issuer: str = ""
    asked: dict[str, str] = field(default_factory=dict)

    async def about(self, _: Request) -> Response:
        places = {
            name: f"{self.issuer}/{path}"
            for name, path in (
                ("authorization_endpoint", "authorize"),
                ("token_endpoint", "token"),
                ("jwks_uri", "jwks"),
            )
        }
        return JSONResponse({"issuer": self.issuer, "id_token_signing_alg_values_supported": ["ES256"], **places})

    async def authorize(self, request: Request) -> Response:
        self.asked = dict(request.query_params)
        return RedirectResponse(f"{self.asked['redirect_uri']}?code=c0de&state={self.asked['state']}", 302)

    async def token(self, request: Request) -> Response:
        form = await request.form()
        proof = base64.urlsafe_b64encode(hashlib.sha256(str(form["code_verifier"]).encode()).digest()).rstrip(b"=")
        if form["code"] != "c0de" or proof.decode() != self.asked["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": "console",
            "sub": "u-17",
            "iat": now,
            "exp": now + 60,
            "nonce": self.asked["nonce"],
        }
        said = {name: value for name, value in {**claims, **self.claims}.items() if value is not None}
        signed = jwt.encode(said, self.signing or self.key, algorithm="ES256", headers={"kid": "k"})
        return JSONResponse({"access_token": "a", "token_type": "Bearer", "id_token": signed})

    async def jwks(self, _: Request) -> Response:
        return JSONResponse({"keys": [{**ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True), "kid": "k"}]})

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        paths = {"/.well-known/openid-configuration": self.about, "/authorize": self.authorize, "/jwks": self.jwks}
        routes = [Route(path, endpoint) for path, endpoint in paths.items()]
        with running_asgi(Starlette(routes=[*routes, Route("/token", self.token, methods=["POST"])])) as address:
            self.issuer = f"http://{address}"
            yield


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    house = House()
    with house.open():
        oidc = ConsoleOidc(issuer=house.issuer, client_id="console")
        with site_in(tmp_path_factory.mktemp("console"), oidc=oidc) as site:
            yield house, site


@pytest.fixture
def house(built):
    house, _ = built
    house.claims, house.signing = {"roles": ["reviewer"]}, None
    return house


@pytest.fixture
def site(built) -> Site:
    return built[1]


def go_there_and_back(site: Site, browser, onward: str = "/"):
    """As a browser does it; the answer to coming back."""
    away = browser.get("/oidc/start", params={"next": onward})
    assert away.status_code == 302, away.text
    there = httpx2.get(away.headers["location"], follow_redirects=False)
    back = urlsplit(there.headers["location"])
    assert back.hostname == "127.0.0.1"
    return browser.get(f"{back.path}?{back.query}")


def test_whoever_the_issuer_lets_in_is_signed_in_with_the_role_of_the_token(house, site):
    browser = site.visitor()
    assert "/oidc/start" in browser.get("/sign-in").text
    answer = go_there_and_back(site, browser, "/queue?kind=APPEAL")
    assert answer.headers["location"] == "/queue?kind=APPEAL"
    page = browser.get("/you", headers={"accept-language": "en"}).text
    assert "oidc:u-17" in page
    assert "reviewer" in page
    assert 'name="old"' not in page  # there is no password here
    assert house.asked["code_challenge_method"] == "S256"


def test_another_role_in_the_token_holds_from_the_next_sign_in_on_and_ends_what_was_begun_before(house, site):
    before, after = site.visitor(), site.visitor()
    go_there_and_back(site, before)
    house.claims = {"roles": ["admin", "viewer"]}
    go_there_and_back(site, after)
    assert asyncio.run(site.parts.accounts.find("oidc:u-17")).role is AccountRole.ADMIN
    assert after.get("/queue").status_code == 200
    assert before.get("/queue").status_code == 303


@pytest.mark.parametrize(
    "claims",
    [
        {"roles": ["king"]},
        {"roles": None},
        {"roles": ["admin"], "nonce": "another"},
        {"roles": ["admin"], "aud": "another"},
        {"roles": ["admin"], "exp": 1},
        {"roles": ["admin"], "iss": "https://another.example"},
        {"roles": ["admin"], "sub": "x" * 200},
    ],
)
def test_a_token_that_is_not_good_lets_nobody_in(house, site, claims):
    house.claims = claims
    browser = site.visitor()
    assert go_there_and_back(site, browser).headers["location"] == "/sign-in?failed=1"
    assert "did not let you in" in browser.get("/sign-in?failed=1", headers={"accept-language": "en"}).text
    assert browser.get("/queue").status_code == 303


def test_a_token_that_another_key_signed_lets_nobody_in(house, site):
    house.signing = ec.generate_private_key(ec.SECP256R1())
    assert go_there_and_back(site, site.visitor()).headers["location"] == "/sign-in?failed=1"


def test_an_answer_that_this_browser_did_not_ask_for_lets_nobody_in(house, site):
    asking, other = site.visitor(), site.visitor()
    away = asking.get("/oidc/start").headers["location"]
    state = parse_qs(urlsplit(away).query)["state"][0]
    httpx2.get(away, follow_redirects=False)
    for answer in (f"code=c0de&state={state}", "code=c0de&state=made-up", "code=c0de", "error=access_denied", ""):
        assert other.get(f"/oidc/back?{answer}").headers["location"] == "/sign-in?failed=1"


def test_an_account_that_was_disabled_stays_so(house, site):
    house.claims = {"roles": ["reviewer"], "sub": "u-18"}
    go_there_and_back(site, site.visitor())
    account = asyncio.run(site.parts.accounts.find("oidc:u-18"))
    asyncio.run(site.parts.accounts.change(replace(account, disabled=True)))
    assert go_there_and_back(site, site.visitor()).headers["location"] == "/sign-in?failed=1"


def test_such_an_account_has_no_password_that_lets_in(house, site):
    go_there_and_back(site, site.visitor())
    for password in ("", "correct horse battery"):
        assert site.sign_in(site.visitor(), "oidc:u-17", password).status_code == 403


def test_consoles_that_share_a_client_secret_hear_each_others_answers_and_no_others():
    def key(secret: str | None) -> str:
        return Issuer(ConsoleOidc(issuer="https://issuer.example", client_id="console", client_secret=secret)).state_key

    assert key("s3cret") == key("s3cret") != key("another")
    assert key(None) != key(None)


def test_an_issuer_that_is_away_lets_nobody_in(tmp_path):
    oidc = ConsoleOidc(issuer="http://127.0.0.1:9", client_id="console")
    with site_in(tmp_path, oidc=oidc) as site:
        assert site.visitor().get("/oidc/start").headers["location"] == "/sign-in?failed=1"


def test_without_an_issuer_there_is_no_such_way_in(tmp_path):
    with site_in(tmp_path) as site:
        assert site.visitor().get("/oidc/start").status_code == 404
        assert "/oidc" not in site.visitor().get("/sign-in").text
