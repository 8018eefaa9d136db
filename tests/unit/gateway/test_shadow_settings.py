"""Which policies are tried beside the real one: the operator's, or a tenant's own."""

from __future__ import annotations

import pytest

from gatepost_server.gateway.credentials.watched import FileError
from gatepost_server.gateway.settings import GatewaySettings
from gatepost_server.gateway.tenants import check_shadows, open_tenants
from gatepost_server.policy.book import open_book
from gatepost_server.policy.load import PolicyError

BOOK = open_book()


def opened(folder, text: str):
    (folder / "tenants.toml").write_text(text)
    return open_tenants(folder / "tenants.toml", BOOK)


def names(tenants, tenant: str) -> list[str]:
    return [policy.name for policy in tenants.shadows(tenant, ("strict",))]


def test_without_a_file_everybody_has_the_operators():
    assert names(open_tenants(None, BOOK), "anybody") == ["strict"]


def test_a_tenant_may_have_its_own_or_none(tmp_path):
    tenants = opened(
        tmp_path, '[cards]\n[posters]\nshadow_policies = ["greeting-card"]\n[notes]\nshadow_policies = []\n'
    )
    assert [names(tenants, tenant) for tenant in ("cards", "posters", "notes")] == [["strict"], ["greeting-card"], []]


def test_a_shadow_may_be_a_policy_that_the_tenant_cannot_ask_for(tmp_path):
    tenants = opened(tmp_path, '[cards]\npolicies = ["greeting-card"]\nshadow_policies = ["strict"]\n')
    assert names(tenants, "cards") == ["strict"]


def test_a_policy_that_there_is_not_is_refused_at_the_start(tmp_path):
    with pytest.raises(PolicyError, match="no policy 'next'"):
        check_shadows(("strict", "next"), BOOK)
    with pytest.raises(FileError, match="no policy 'next'"):
        opened(tmp_path, '[cards]\nshadow_policies = ["next"]\n').find("cards")


def test_there_are_three_at_most(tmp_path):
    assert GatewaySettings(shadow_policies=("a", "b", "c")).shadow_policies == ("a", "b", "c")
    with pytest.raises(ValueError, match="at most 3"):
        GatewaySettings(shadow_policies=("a", "b", "c", "d"))
    with pytest.raises(FileError, match="shadow_policies"):
        opened(tmp_path, '[cards]\nshadow_policies = ["a", "b", "c", "d"]\n').find("cards")
