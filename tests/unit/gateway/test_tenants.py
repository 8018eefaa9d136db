"""The tenants' file: what each may ask for."""

from __future__ import annotations

import pytest

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.gateway.credentials.caller import Role
from gatepost_server.gateway.credentials.watched import FileError
from gatepost_server.gateway.tenants import open_tenants
from gatepost_server.policy.book import open_book

BOOK = open_book()
NAMES = [policy.name for policy in BOOK]


@pytest.fixture
def opened(tmp_path):
    def open_(text: str):
        (tmp_path / "tenants.toml").write_text(text)
        return open_tenants(tmp_path / "tenants.toml", BOOK)

    return open_


def test_without_a_file_every_tenant_may_ask_for_everything():
    tenants = open_tenants(None, BOOK)
    assert [policy.name for policy in tenants.book("anybody")] == NAMES
    assert tenants.policy_for("anybody", "") == BOOK.default
    assert tenants.find("anybody").images_per_day is None


def test_with_a_file_only_its_tenants_are_served(opened):
    tenants = opened("[cards]\n")
    assert tenants.find("cards")
    with pytest.raises(GatepostError) as caught:
        tenants.find("posters")
    assert (caught.value.code, caught.value.reason) == (ErrorCode.PERMISSION_DENIED, ErrorReason.TENANT_UNKNOWN)


def test_a_tenant_names_its_own_policies_and_others_do_not_exist_for_it(opened):
    tenants = opened('[cards]\npolicies = ["strict"]\n')
    assert [policy.name for policy in tenants.book("cards")] == ["strict"]
    assert tenants.policy_for("cards", "") == "strict"
    for name in ("greeting-card", "no-such-policy"):
        with pytest.raises(GatepostError) as caught:
            tenants.policy_for("cards", name)
        assert (caught.value.code, caught.value.reason, caught.value.message) == (
            ErrorCode.INVALID_ARGUMENT,
            ErrorReason.POLICY_UNKNOWN,
            "there is no policy of that name",
        )


@pytest.mark.parametrize(
    ("text", "default"),
    [
        ("", "greeting-card"),
        ('default_policy = "strict"', "strict"),
        ('policies = ["strict", "greeting-card"]', "greeting-card"),
        ('policies = ["strict", "greeting-card"]\ndefault_policy = "strict"', "strict"),
        ('policies = ["strict"]', "strict"),
    ],
)
def test_a_request_without_a_policy_gets_the_tenants_default(opened, text, default):
    assert opened(f"[cards]\n{text}\n").policy_for("cards", "") == default


def test_a_change_of_the_file_counts_at_once(opened):
    tenants = opened('[cards]\npolicies = ["strict"]\n')
    assert tenants.policy_for("cards", "") == "strict"
    opened("[cards]\n[posters]\n")
    assert tenants.policy_for("cards", "") == "greeting-card"
    assert tenants.find("posters")


def test_certificates_say_whose_they_are(opened):
    text = '[cards]\n[[cards.certificates]]\nname = "dns:cards.internal"\nroles = ["moderate"]\n'
    (found,) = opened(text).certificates().items()
    assert found[0] == "dns:cards.internal"
    assert (found[1].tenant, found[1].roles) == ("cards", {Role.MODERATE})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[cards", "not TOML"),
        ("[cards]\nimages_per_dya = 1", "images_per_dya"),
        ('["a b"]', "pattern"),
        ('[cards]\npolicies = ["mild"]', "no policy 'mild'"),
        ('[cards]\ndefault_policy = "mild"', "no policy 'mild'"),
        ("[cards]\npolicies = []", "policies"),
        ('[cards]\npolicies = ["strict"]\ndefault_policy = "greeting-card"', "not among policies"),
        ("[cards]\nimages_per_second = 0", "images_per_second"),
        ("[cards]\nimages_per_second = nan", "images_per_second"),
        ("[cards]\nburst = 5", "limits nothing"),
        ("[cards]\nimages_per_day = -1", "images_per_day"),
        ('[[cards.certificates]]\nname = "cards"', "certificates"),
        (
            '[[cards.certificates]]\nname = "dns:a"\n[[posters.certificates]]\nname = "dns:a"',
            "stands there twice",
        ),
    ],
)
def test_a_file_with_a_mistake_is_refused_with_the_place(opened, text, problem):
    with pytest.raises(FileError, match=problem):
        opened(text)
