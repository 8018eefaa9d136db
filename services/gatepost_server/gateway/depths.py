"""What Prometheus is told of things that wait: read when it asks, or looked at every few seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from gatepost_server.domain.errors import GatepostError
from gatepost_server.domain.review import QueueKind
from gatepost_server.gateway.admission import Admission
from gatepost_server.gateway.settings import GatewaySettings
from gatepost_server.moderate.nearline import Nearline
from gatepost_server.moderate.recorder import Recorder

LOOK_S = 10.0
BACKLOG, RECORD = "backlog", "record"

_log = structlog.get_logger("gatepost.depths")


class Depths:
    """Gauges of one gateway. A part that there is none of waits for nothing: 0."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, says: str, unit: str, *labels: str) -> Gauge:
            return Gauge(name, says, labels, unit=unit, registry=registry)

        self._inside = gauge("gatepost_in_flight", "Images that were let in and not answered yet", "images")
        self._inside_most = gauge("gatepost_in_flight_limit", "The most that are let in at a time", "images")
        self._bytes = gauge("gatepost_in_flight", "The bytes of images that were let in", "bytes")
        self._waiting = gauge("gatepost_admission_waiting", "Images of streams that wait for a place", "images")
        self._nearline = gauge("gatepost_nearline", "Held images that are not judged yet, of all gateways", "images")
        self._nearline_most = gauge("gatepost_nearline_limit", "The most that may be held", "images")
        self._handover = gauge("gatepost_record_handover", "Verdicts on their way into the record", "verdicts")
        self._handover_most = gauge("gatepost_record_handover_limit", "The most that may be on their way", "verdicts")
        self._reviews = gauge("gatepost_review_queue", "What waits for people, by kind", "items", "kind")
        self._overdue = gauge("gatepost_review_queue_overdue", "Of these, what waits too long", "items", "kind")
        self._oldest = gauge(
            "gatepost_review_queue_oldest", "How long the oldest of them has waited", "seconds", "kind"
        )
        self._failures = Counter(
            "gatepost_store_look_failures", "How often a store could not be looked at", ("store",), registry=registry
        )
        for store in (BACKLOG, RECORD):
            self._failures.labels(store)

    def follow(self, settings: GatewaySettings, admission: Admission, recorder: Recorder | None) -> None:
        """Read these whenever Prometheus asks."""
        self._inside.set_function(lambda: admission.images)
        self._bytes.set_function(lambda: admission.bytes)
        self._waiting.set_function(lambda: admission.waiting)
        self._inside_most.set(settings.max_images_in_flight)
        self._nearline_most.set(settings.backlog_images if settings.backlog is not None else 0)
        if recorder is not None:
            self._handover.set_function(lambda: recorder.handing_over)
            self._handover_most.set(settings.record_handover_entries)

    async def run(self, nearline: Nearline | None, recorder: Recorder | None, *, every_s: float = LOOK_S) -> NoReturn:
        """Look at the stores for ever. One that is away keeps its last figures, and is counted."""
        while True:
            if nearline is not None:
                await self._look(BACKLOG, lambda: self._look_at_backlog(nearline))
            if recorder is not None:
                await self._look(RECORD, lambda: self._look_at_queue(recorder))
            await asyncio.sleep(every_s)

    async def _look(self, store: str, look: Callable[[], Awaitable[None]]) -> None:
        try:
            await look()
        except GatepostError as error:
            self._failures.labels(store).inc()
            _log.warning("store_unreadable", store=store, reason=error.reason.value)

    async def _look_at_backlog(self, nearline: Nearline) -> None:
        self._nearline.set(await nearline.depth())

    async def _look_at_queue(self, recorder: Recorder) -> None:
        loads = await recorder.queue_load()
        for kind in QueueKind:
            load = loads.get(kind)
            self._reviews.labels(kind.value).set(load.items if load else 0)
            self._overdue.labels(kind.value).set(load.overdue if load else 0)
            self._oldest.labels(kind.value).set(load.oldest_s if load else 0.0)
