"""Which role each method needs. What is not in this table is closed to everybody."""

from __future__ import annotations

from collections.abc import Mapping

from gatepost_server.gateway.credentials.caller import Role

# Balancers carry no credentials, and public keys are public.
OPEN = frozenset(
    {
        "/grpc.health.v1.Health/Check",
        "/grpc.health.v1.Health/Watch",
        "/gatepost.v1.TicketKeyService/ListTicketKeys",
    }
)

ROLES: Mapping[str, Role] = {
    "/gatepost.v1.ModerationService/Moderate": Role.MODERATE,
    "/gatepost.v1.ModerationService/ModerateStream": Role.MODERATE,
    "/gatepost.v1.ModerationService/GetVerdict": Role.READ,
    "/gatepost.v1.ModerationService/WatchVerdict": Role.READ,
    "/gatepost.v1.ModerationService/AppealVerdict": Role.MODERATE,
    "/gatepost.v1.PolicyService/GetPolicy": Role.READ,
    "/gatepost.v1.PolicyService/ListPolicies": Role.READ,
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": Role.READ,
}
