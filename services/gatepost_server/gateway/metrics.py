"""What Prometheus is told. Every gateway has a registry of its own."""

from __future__ import annotations

from collections.abc import Collection

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from gatepost_server.domain.known_bad import Hit
from gatepost_server.domain.labels import Decision
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

        self._shadow = Counter(
            "gatepost_shadow_decisions",
            "What shadow policies would have said, beside what was decided",
            ("policy", "decided", "would"),
            registry=self._registry,
        )
        self._shadow_lost = Counter(
            "gatepost_shadow_lost",
            "Verdicts that a shadow policy was not tried on, by reason",
            ("policy", "why"),
            registry=self._registry,
        )
        self._bank_hits = Counter(
            "gatepost_bank_hits", "Images like a known-bad example", ("category", "likeness"), registry=self._registry
        )
        self._bank_entries = Gauge("gatepost_bank_entries", "Known-bad examples that hold", registry=self._registry)
        self._bank_read = Gauge(
            "gatepost_bank_last_read_timestamp_seconds",
            "When the bank was last read well, Unix seconds; 0: not yet",
            registry=self._registry,
        )
        self._bank_failures = Counter(
            "gatepost_bank_failures", "How often the bank could not be read", registry=self._registry
        )

    def shadow(self, policy: str, *, decided: Decision, would: Decision) -> None:
        """What a shadow policy would have said of one image."""
        self._shadow.labels(policy, decided.value, would.value).inc()

    def shadow_lost(self, policy: str, *, why: str) -> None:
        """A shadow policy was not tried on one image."""
        self._shadow_lost.labels(policy, why).inc()

    def bank_hits(self, hits: Collection[Hit]) -> None:
        """One image is like these examples."""
        for hit in hits:
            self._bank_hits.labels(hit.category.value, hit.likeness.value).inc()

    def bank_read(self, *, entries: int | None) -> None:
        """The bank was read, or could not be (None)."""
        if entries is None:
            self._bank_failures.inc()
            return
        self._bank_entries.set(entries)
        self._bank_read.set_to_current_time()

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
