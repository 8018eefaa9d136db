"""What Prometheus is told. Every gateway has a registry of its own."""

from __future__ import annotations

from collections.abc import Collection
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Info, ProcessCollector
from prometheus_client.exposition import choose_encoder

from gatepost_server.domain.known_bad import Hit
from gatepost_server.domain.labels import Decision
from gatepost_server.gateway.depths import Depths
from gatepost_server.gateway.traffic import Traffic
from gatepost_server.moderate.canary import CanaryAnswer, Outcome
from gatepost_server.scoring.remembered import Lookup


class Metrics:
    """Counts and gauges of one gateway."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        Info("gatepost_build", "Which gatepost this is", registry=self._registry).info({"version": version("gatepost")})
        self.traffic = Traffic(self._registry)
        self.depths = Depths(self._registry)
        self._answers = Counter(
            "gatepost_canary_answers", "Canaries by kind and outcome", ("kind", "outcome"), registry=self._registry
        )
        self._last = Gauge(
            "gatepost_canary_last_right_timestamp",
            "When a canary of that kind was last answered rightly, Unix seconds",
            ("kind",),
            unit="seconds",
            registry=self._registry,
        )
        self._seconds = Gauge(
            "gatepost_canary",
            "How long the last canary of that kind took",
            ("kind",),
            unit="seconds",
            registry=self._registry,
        )
        self._trusted = Gauge(
            "gatepost_models_trusted", "1 while canaries are answered rightly, else 0", registry=self._registry
        )
        self._ready = Gauge(
            "gatepost_models_ready",
            "1 while the model server and all of its models answer, else 0",
            registry=self._registry,
        )
        self._server_restarts = Counter(
            "gatepost_model_server_restarts", "How often tritonserver was started again", registry=self._registry
        )
        self._stub_restarts = Counter(
            "gatepost_stub_restarts",
            "How often a model's process was started again",
            ("model",),
            registry=self._registry,
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
        self._bank_entries = Gauge(
            "gatepost_bank", "Known-bad examples that hold", unit="entries", registry=self._registry
        )
        self._bank_read = Gauge(
            "gatepost_bank_last_read_timestamp",
            "When the bank was last read well, Unix seconds; 0: not yet",
            unit="seconds",
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

    def ready(self, *, ready: bool) -> None:
        """Whether the models answer, as health sees it."""
        self._ready.set(ready)

    def server_restarted(self) -> None:
        """As serving.supervisor.Told."""
        self._server_restarts.inc()

    def stub_restarted(self, model: str) -> None:
        """As serving.supervisor.Told."""
        self._stub_restarts.labels(model).inc()

    def text(self, accept: str = "") -> tuple[bytes, str]:
        """Everything, and its content type: OpenMetrics with exemplars where `accept` asks for it, else plain text."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type
