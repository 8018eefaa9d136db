"""Client certificates: their names, and whose they are."""

from __future__ import annotations

import pytest
from cryptography import x509

from gatepost_server.gateway.credentials.caller import Caller, Role
from gatepost_server.gateway.credentials.certificates import Certificates, certificate_names
from tests.authorities import Authority

READ = frozenset({Role.READ})


def caller(tenant: str, name: str, roles: frozenset[Role] = READ) -> Caller:
    return Caller(tenant, roles, f"certificate:{name}")


@pytest.fixture(scope="module")
def authority():
    return Authority()


def test_names_say_of_which_kind_they_are(authority):
    signed = authority.sign(
        "cards",
        x509.DNSName("cards.internal"),
        x509.UniformResourceIdentifier("spiffe://corp/cards"),
        x509.RFC822Name("cards@corp.example"),
    )
    assert certificate_names(signed.certificate) == (
        "subject:CN=cards",
        "dns:cards.internal",
        "uri:spiffe://corp/cards",
        "email:cards@corp.example",
    )
    assert certificate_names(authority.sign("bare").certificate) == ("subject:CN=bare",)


def test_a_name_that_a_tenant_claims_is_that_tenants(authority):
    known = {"dns:cards.internal": caller("cards", "dns:cards.internal")}
    found = Certificates(lambda: known, others=None)
    assert found.find(authority.sign("x", x509.DNSName("cards.internal")).certificate).tenant == "cards"
    # The same text as a name of another kind is another name.
    assert found.find(authority.sign("cards.internal").certificate) is None
    assert found.find(authority.sign("x", x509.RFC822Name("cards.internal")).certificate) is None


def test_a_certificate_of_two_tenants_is_nobodys(authority):
    known = {
        "dns:cards.internal": caller("cards", "dns:cards.internal"),
        "dns:posters.internal": caller("posters", "dns:posters.internal"),
        "subject:CN=both": caller("cards", "subject:CN=both"),
    }
    found = Certificates(lambda: known, others=None)
    names = (x509.DNSName("cards.internal"), x509.DNSName("posters.internal"))
    assert found.find(authority.sign("x", *names).certificate) is None
    assert found.find(authority.sign("both", names[0]).certificate).tenant == "cards"


def test_with_no_claims_everybody_whom_the_ca_signed_is_the_same_and_with_one_nobody_else_is(authority):
    known: dict[str, Caller] = {}
    anybody = Caller("default", READ, "certificate")
    found = Certificates(lambda: known, others=anybody)
    pem = authority.sign("x").certificate
    assert found.find(pem) == anybody
    known["dns:cards.internal"] = caller("cards", "dns:cards.internal")
    assert found.find(pem) is None


def test_what_is_no_certificate_is_nobodys():
    assert Certificates(dict, others=Caller("default", READ, "certificate")).find(b"nonsense") is None
