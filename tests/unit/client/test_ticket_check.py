"""A ticket releases exactly the bytes it was made for, and nothing else passes for one."""

from __future__ import annotations

import base64
import json
import math
import time
import warnings
from datetime import UTC, datetime

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from gatepost_client.tickets import MAX_TICKET_CHARACTERS, Jwks, Refusal, TicketRefused, verify, verify_digest
from gatepost_client.verdict import Versioned
from tests.minting import AUDIENCE, MISSING, Mint, claims, segment

IMAGE = b"\x89PNG\r\n\x1a\n a card"
MINT = Mint()


def refusal(ticket: str, *, image: bytes = IMAGE, keys: Jwks | None = None, **options) -> Refusal:
    """Why it was refused; fails where it was not."""
    with pytest.raises(TicketRefused) as refused:
        verify(image, ticket, keys or MINT.keys(), **{"audience": AUDIENCE, **options})
    return refused.value.reason


def unsigned(header: dict, signature: str = "") -> str:
    return f"{segment(header)}.{segment(claims(IMAGE))}.{signature}"


def test_a_good_ticket_says_what_was_released(tmp_path):
    card = tmp_path / "card.png"
    card.write_bytes(IMAGE)
    for image in (IMAGE, card, str(card)):
        found = verify(image, MINT.ticket(IMAGE), MINT.keys(), audience=AUDIENCE)
    assert (found.verdict, found.id, found.audience, found.issuer) == ("verdicts/1", "ticket-1", AUDIENCE, "gatepost")
    assert found.policy == Versioned(AUDIENCE, "0123456789abcdef")
    assert found.models == (Versioned("clip", "1"),)
    assert found.key_id == "key-1"
    assert abs((datetime.now(UTC) - found.issued).total_seconds()) < 60
    assert (found.expires - found.issued).total_seconds() == 3_600


def test_a_digest_may_be_given_in_either_case():
    digest = claims(IMAGE)["image"]["sha256"]
    ticket = MINT.ticket(IMAGE)
    for spelling in (digest, digest.upper()):
        assert verify_digest(spelling, ticket, MINT.keys(), audience=AUDIENCE).image_sha256 == digest


@pytest.mark.parametrize("at", range(len(IMAGE)))
def test_one_changed_byte_of_the_image_is_refused(at):
    changed = bytearray(IMAGE)
    changed[at] ^= 1
    assert refusal(MINT.ticket(IMAGE), image=bytes(changed)) is Refusal.IMAGE


def test_every_changed_character_of_the_ticket_is_refused():
    ticket = MINT.ticket(IMAGE)
    for at, character in enumerate(ticket):
        for other in "AQgw_.=" if at > len(ticket) - 3 else "A":
            if other != character:
                refusal(f"{ticket[:at]}{other}{ticket[at + 1 :]}")


@pytest.mark.parametrize("more", ["=", "==", "\n", " ", ".", "A"])
def test_a_ticket_has_one_spelling(more):
    refusal(MINT.ticket(IMAGE) + more)
    refusal(more + MINT.ticket(IMAGE))


def test_time_passes():
    now = int(time.time())
    assert refusal(MINT.ticket(IMAGE, iat=now - 100, exp=now - 31)) is Refusal.EXPIRED
    assert verify(IMAGE, MINT.ticket(IMAGE, iat=now - 100, exp=now - 20), MINT.keys(), audience=AUDIENCE)
    assert refusal(MINT.ticket(IMAGE, iat=now - 100, exp=now - 1), leeway_s=0) is Refusal.EXPIRED
    assert refusal(MINT.ticket(IMAGE, iat=now + 90)) is Refusal.NOT_YET_VALID
    assert refusal(MINT.ticket(IMAGE, nbf=now + 90)) is Refusal.NOT_YET_VALID


def test_another_policys_audience_and_another_issuer_are_refused():
    assert refusal(MINT.ticket(IMAGE, aud="strict")) is Refusal.AUDIENCE
    assert refusal(MINT.ticket(IMAGE, aud=[AUDIENCE])) is Refusal.AUDIENCE
    assert refusal(MINT.ticket(IMAGE, aud=["strict", AUDIENCE])) is Refusal.AUDIENCE
    assert refusal(MINT.ticket(IMAGE, iss="another")) is Refusal.ISSUER


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "HS256", "RS256", "ES256", "", None, 1, ["EdDSA"]])
def test_other_algorithms_are_refused(alg):
    header = {"alg": alg, "typ": "gatepost-ticket+jwt", "kid": "key-1"}
    assert refusal(unsigned(header)) is Refusal.ALGORITHM
    assert refusal(unsigned(header, MINT.ticket(IMAGE).rpartition(".")[2])) is Refusal.ALGORITHM


@pytest.mark.parametrize("form", [PublicFormat.SubjectPublicKeyInfo, PublicFormat.Raw])
def test_the_public_key_is_no_shared_secret(form):
    public = MINT.key.public_key()
    secret = public.public_bytes(Encoding.Raw if form is PublicFormat.Raw else Encoding.PEM, form)
    secret = secret.replace(b"-----", b"")  # PyJWT does not sign with what looks like a public key; others do
    header = {"typ": "gatepost-ticket+jwt", "kid": "key-1"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        forged = jwt.encode(claims(IMAGE), secret, algorithm="HS256", headers=header)
    assert refusal(forged) is Refusal.ALGORITHM


def test_eddsa_means_ed25519():
    key = Ed448PrivateKey.generate()
    header = {"typ": "gatepost-ticket+jwt", "kid": "key-1"}
    forged = jwt.encode(claims(IMAGE), key, algorithm="EdDSA", headers=header)
    assert refusal(forged) is Refusal.MALFORMED  # a longer signature
    public = {**jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": "key-1"}
    keys = Jwks(json.dumps({"keys": [public, Mint("key-2").jwk()]}))
    assert refusal(MINT.ticket(IMAGE), keys=keys) is Refusal.KEY


def test_unknown_revoked_and_foreign_keys_are_refused():
    ticket = MINT.ticket(IMAGE)
    assert refusal(ticket, keys=Mint("key-2").keys()) is Refusal.KEY
    assert refusal(Mint("key-1").ticket(IMAGE)) is Refusal.SIGNATURE  # another's key under our id
    assert refusal(MINT.ticket(IMAGE, header={"kid": None})) is Refusal.MALFORMED
    assert refusal(MINT.ticket(IMAGE, header={"kid": ""})) is Refusal.KEY


def test_keys_that_the_ticket_brings_along_are_not_looked_at():
    other = Mint("key-1")
    forged = other.ticket(IMAGE, header={"jwk": other.jwk(), "jku": "https://evil.example/jwks", "x5c": ["A"]})
    assert refusal(forged) is Refusal.SIGNATURE


@pytest.mark.parametrize("typ", ["JWT", "at+jwt", "gatepost-ticket", "GATEPOST-TICKET+JWT", None])
def test_tokens_of_another_kind_under_the_same_key_are_refused(typ):
    assert refusal(MINT.ticket(IMAGE, header={"typ": typ})) is Refusal.MALFORMED


def test_what_a_header_calls_critical_is_refused():
    assert refusal(MINT.ticket(IMAGE, header={"crit": ["exp"], "exp": 1})) is Refusal.MALFORMED


def test_no_ticket_and_far_too_much_of_one():
    assert refusal("") is Refusal.MISSING
    assert refusal("A" * (MAX_TICKET_CHARACTERS + 1)) is Refusal.MALFORMED
    assert refusal(MINT.ticket(IMAGE, models={"clip": "1" * MAX_TICKET_CHARACTERS})) is Refusal.MALFORMED


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "iat", "exp", "jti", "image", "policy", "models"])
@pytest.mark.parametrize(
    "value",
    [MISSING, None, "", "x", 0.5, True, 10**400, math.inf, math.nan, [], {}, [[]], {"name": 1}],
    ids=lambda value: "missing" if value is MISSING else repr(value)[:12],
)
def test_a_claim_that_lacks_or_is_of_another_type_is_refused(name, value):
    if (name, value) in (("sub", "x"), ("jti", "x"), ("models", {})):
        return  # these are as they should be
    assert refusal(MINT.ticket(IMAGE, **{name: value}))


@pytest.mark.parametrize(
    "changed",
    [
        {"image": {"sha256": "A" * 64}},
        {"image": {"sha256": "a" * 63}},
        {"image": {"sha256": "a" * 64 + "\n"}},
        {"image": {"sha1": "a" * 64}},
        {"policy": {"name": "x"}},
        {"policy": {"name": "x", "version": 1}},
        {"models": {"clip": 1}},
        {"models": {"clip": ["1"]}},
        {"iat": "1"},
        {"exp": "99999999999"},
        {"exp": 99999999999.5},
        {"exp": 10**15},
    ],
)
def test_what_is_inside_a_claim_is_looked_at(changed):
    assert refusal(MINT.ticket(IMAGE, **changed)) is Refusal.MALFORMED


def test_a_deep_header_is_no_fault():
    deep = base64.urlsafe_b64encode(b"[" * 5_000).rstrip(b"=").decode()
    assert refusal(f"{deep}.{deep}.") is Refusal.MALFORMED


def test_the_file_is_not_read_for_a_bad_ticket(tmp_path):
    with pytest.raises(TicketRefused):
        verify(tmp_path / "missing.png", "bad", MINT.keys(), audience=AUDIENCE)
    with pytest.raises(FileNotFoundError):
        verify(tmp_path / "missing.png", MINT.ticket(IMAGE), MINT.keys(), audience=AUDIENCE)


@given(st.text(max_size=400) | st.text(alphabet="eyJAQgw._-=", max_size=400))
def test_no_text_at_all_passes_or_breaks_the_check(text):
    assert refusal(text)


@given(
    st.dictionaries(st.sampled_from(["alg", "typ", "kid", "crit", "b64", "x"]), st.none() | st.text() | st.integers())
)
def test_no_header_passes_unsigned(header):
    assert refusal(unsigned({"alg": "EdDSA", "typ": "gatepost-ticket+jwt", "kid": "key-1", **header}, "A" * 86))
