"""Evidence held against known-bad examples. Pure; a hit is a score that the policy's thresholds judge like any."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import numpy as np

from gatepost_server.domain.evidence import Evidence, Fused
from gatepost_server.domain.known_bad import Hit, KnownBad, Likeness
from gatepost_server.domain.labels import StageName
from gatepost_server.policy.lists import comparable
from gatepost_server.text.known import resemblance

SOURCE = "bank:"  # before an example's id, in the source of a score
LEAST_QUALITY = 50  # a PDQ hash below it says little (ThreatExchange's advice)
_BITS = 256


class Examples:
    """Examples made ready to be compared with. Immutable."""

    def __init__(self, entries: Sequence[KnownBad]) -> None:
        self.entries = tuple(entries)
        self._files = [entry for entry in entries if entry.sha256]
        self._hashed = [entry for entry in entries if entry.pdq]
        self._hashes = hash_bits([entry.pdq for entry in self._hashed])
        self._seen: defaultdict[tuple[str, int], list[KnownBad]] = defaultdict(list)  # by model and size
        for entry in entries:
            if entry.embedding:
                self._seen[entry.embedding_model, len(entry.embedding)].append(entry)
        self._vectors = {key: np.array([each.embedding for each in of_key]) for key, of_key in self._seen.items()}
        self._texts = [entry for entry in entries if comparable(entry.text)]
        self._comparable = [comparable(entry.text) for entry in self._texts]

    @property
    def embeds(self) -> bool:
        """Whether evidence needs its embedding to be compared."""
        return bool(self._seen)

    def hits(self, evidence: Evidence, sha256: str, now: float) -> tuple[Hit, ...]:
        """What the image is like. `sha256` is that of the file as it was sent; expired examples find nothing."""
        return tuple(
            Hit(entry.id, entry.category, likeness, round(min(1.0, score), 6))
            for entry, likeness, score in (
                *((entry, Likeness.SAME_FILE, 1.0) for entry in self._files if entry.sha256 == sha256),
                *self._like_hash(evidence),
                *self._like_embedding(evidence),
                *self._like_text(evidence),
            )
            if entry.holds_at(now)
        )

    def _like_hash(self, evidence: Evidence) -> Iterator[tuple[KnownBad, Likeness, float]]:
        image = evidence.image
        if not self._hashed or image.pdq_quality < LEAST_QUALITY:
            return
        distances = (self._hashes != hash_bits([image.pdq])).sum(axis=1)
        for entry, distance in zip(self._hashed, distances.tolist(), strict=True):
            if distance <= entry.pdq_distance:
                yield entry, Likeness.PDQ, 1.0 - distance / _BITS

    def _like_embedding(self, evidence: Evidence) -> Iterator[tuple[KnownBad, Likeness, float]]:
        if not evidence.embedding:
            return
        key = embedding_model(evidence), len(evidence.embedding)
        if key not in self._vectors:
            return
        cosines = self._vectors[key] @ np.array(evidence.embedding)
        for entry, cosine in zip(self._seen[key], cosines.tolist(), strict=True):
            if cosine >= entry.cosine:
                yield entry, Likeness.EMBEDDING, cosine

    def _like_text(self, evidence: Evidence) -> Iterator[tuple[KnownBad, Likeness, float]]:
        if not self._texts:
            return
        drawn = [text for text in (*(line.text for line in evidence.lines), evidence.joined_text) if text]
        scores = resemblance(self._comparable, [comparable(text) for text in drawn]).max(axis=1, initial=0.0)
        for entry, score in zip(self._texts, scores.tolist(), strict=True):
            if score >= entry.text_similarity:
                yield entry, Likeness.TEXT, score


def with_hits(evidence: Evidence, hits: Collection[Hit]) -> Evidence:
    """The evidence with every hit as a score of its category, where no other is higher."""
    fused = dict(evidence.fused)
    for hit in hits:
        old = fused.get(hit.category)
        if old is not None and math.isfinite(old.score) and hit.score >= old.score:
            fused[hit.category] = Fused(hit.score, f"{SOURCE}{hit.entry}")
    return replace(evidence, fused=fused)


def embedding_model(evidence: Evidence) -> str:
    """The net that made the embedding, as KnownBad.embedding_model names it."""
    models = next((report.models for report in evidence.reports if report.stage is StageName.CLIP), ())
    return " ".join((models[0].name, models[0].version)) if models else ""


def hash_bits(hashes: Sequence[str]) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Shape (hashes, 256), one byte for each bit of hashes of 64 hex digits."""
    packed = np.frombuffer(bytes.fromhex("".join(hashes)), np.uint8).reshape(len(hashes), _BITS // 8)
    return np.unpackbits(packed, axis=1)
