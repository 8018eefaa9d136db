"""Refused tickets as a Prometheus counter. Needs prometheus_client, which gatepost-client[serve] brings."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter

from gatepost_client.tickets.check import Refusal


def counted(registry: CollectorRegistry) -> Callable[[Refusal], None]:
    """For `told` of FileGate and TicketMiddleware. Raises ValueError where the registry has such a counter already."""
    refusals = Counter(
        "gatepost_ticket_refusals", "Pictures that were not shown, by what was wrong", ("reason",), registry=registry
    )
    for reason in Refusal:
        refusals.labels(reason.value)  # 0 from the start, so that the first one is seen as a rise

    def tell(reason: Refusal) -> None:
        refusals.labels(reason.value).inc()

    return tell
