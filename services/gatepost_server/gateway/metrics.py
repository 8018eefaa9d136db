"""What Prometheus is told. Every gateway has a registry of its own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from gatepost_server.moderate.canary import CanaryAnswer, Outcome
from gatepost_server.scoring.remembered import Lookup

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """Counts and gauges of one gateway."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._answers = Counter(
            "gatepost_canary_answers", "Canaries by kind and outcome", ("kind", "outcome"), registry=self._registry
        )
        self._last = Gauge(
            "gatepost_canary_last_right_timestamp_seconds",
            "When a canary of that kind was last answered rightly, Unix seconds",
            ("kind",),
            registry=self._registry,
        )
        self._seconds = Gauge(
            "gatepost_canary_seconds", "How long the last canary of that kind took", ("kind",), registry=self._registry
        )
        self._trusted = Gauge(
            "gatepost_models_trusted", "1 while canaries are answered rightly, else 0", registry=self._registry
        )

        self._images = Counter(
            "gatepost_images_looked_up",
            "Images by how they came by their evidence: hit (the same was seen lately), joined, miss",
            ("lookup",),
            registry=self._registry,
        )

    def looked_up(self, lookup: Lookup) -> None:
        """One image was held against those that were seen lately."""
        self._images.labels(lookup.value).inc()

    def canary(self, answer: CanaryAnswer) -> None:
        """One canary was answered."""
        self._answers.labels(answer.kind, answer.outcome.value).inc()
        self._seconds.labels(answer.kind).set(answer.seconds)
        if answer.outcome is Outcome.RIGHT:
            self._last.labels(answer.kind).set_to_current_time()

    def trusted(self, *, trusted: bool) -> None:
        """Whether the models are trusted, as health sees it."""
        self._trusted.set(trusted)

    def text(self) -> bytes:
        """Everything, in Prometheus' text format (CONTENT_TYPE)."""
        return generate_latest(self._registry)
