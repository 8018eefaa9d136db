"""Every method of every service that the gateway serves has its place in the table."""

from __future__ import annotations

import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from gatepost.v1 import moderation_pb2, policy_pb2, ticket_pb2
from gatepost_server.domain.errors import ErrorCode, GatepostError
from gatepost_server.gateway.credentials.caller import ANYBODY, Caller, Role
from gatepost_server.gateway.credentials.interceptor import permit
from gatepost_server.gateway.credentials.methods import OPEN, ROLES

METHODS = {
    f"/{service.full_name}/{method.name}"
    for file in (moderation_pb2, policy_pb2, ticket_pb2, health_pb2, reflection_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}


def test_the_table_is_complete_and_names_nothing_else():
    assert OPEN | set(ROLES) == METHODS
    assert not OPEN & set(ROLES)


def test_only_health_and_public_keys_are_open():
    assert {method.split("/")[1] for method in OPEN} == {"grpc.health.v1.Health", "gatepost.v1.TicketKeyService"}


@pytest.mark.parametrize("method", sorted(ROLES))
@pytest.mark.parametrize("role", list(Role))
def test_a_role_opens_its_own_methods_and_no_others(method, role):
    known = Caller("cards", frozenset({role}), "token:ci")
    if ROLES[method] is role:
        permit(known, method)
    else:
        with pytest.raises(GatepostError) as caught:
            permit(known, method)
        assert caught.value.code is ErrorCode.PERMISSION_DENIED


def test_what_is_not_in_the_table_is_closed_to_everybody():
    with pytest.raises(GatepostError):
        permit(ANYBODY, "/gatepost.v1.AdminService/Forgotten")
