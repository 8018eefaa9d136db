"""Whether a server takes requests."""

from __future__ import annotations

from enum import StrEnum

from grpc_health.v1 import health_pb2


class Health(StrEnum):
    """grpc.health.v1, as an enumeration."""

    SERVING = "SERVING"
    NOT_SERVING = "NOT_SERVING"  # starting, draining, or not to be trusted
    UNKNOWN = "UNKNOWN"


def health_from_proto(status: int) -> Health:
    """The SDK's value of a health status on the wire."""
    names = {
        health_pb2.HealthCheckResponse.SERVING: Health.SERVING,
        health_pb2.HealthCheckResponse.NOT_SERVING: Health.NOT_SERVING,
    }
    return names.get(status, Health.UNKNOWN)
