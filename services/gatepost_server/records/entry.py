"""One verdict as it is written down. Neither the ticket nor any credential is in it."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from gatepost_server.domain.decision import ModerationRequest, Verdict
from gatepost_server.domain.labels import Category, Decision
from gatepost_server.records.codec import request_to_json, verdict_record

_UNSCORED = 0.5  # how grave a reason without a score counts


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the record. `request` and `verdict` are JSON (records.codec), without image and embedding."""

    name: str
    pending: bool
    tenant: str
    request_id: str
    subject: str
    created: float  # Unix seconds
    decision: Decision
    category: Category | None  # of the gravest reason
    severity: float  # 0 to 1
    policy: str
    policy_version: str
    image_sha256: str
    pdq: str
    opinions: int  # how many people decide together
    due_s: float  # how soon a person looks
    request: bytes
    verdict: bytes
    embedding: bytes = b""  # float32, little-endian
    image: bytes | None = None  # None where it is not kept

    @property
    def size(self) -> int:
        """Bytes, about."""
        return 500 + len(self.request) + len(self.verdict) + len(self.embedding) + len(self.image or b"")


def entry_of(
    request: ModerationRequest, verdict: Verdict, *, keep_image: bool, opinions: int = 1, due_s: float = 0.0
) -> Entry:
    """`request` is digested (moderate.once)."""
    judgement, evidence = verdict.judgement, verdict.evidence
    return Entry(
        name=verdict.name,
        pending=verdict.pending,
        tenant=verdict.tenant,
        request_id=verdict.request_id,
        subject=request.subject,
        created=verdict.created,
        decision=judgement.decision,
        category=judgement.category,
        severity=max((reason.score or _UNSCORED for reason in judgement.reasons), default=0.0),
        policy=judgement.policy,
        policy_version=judgement.policy_version,
        image_sha256=request.image_sha256,
        pdq=evidence.image.pdq if evidence is not None else "",
        opinions=opinions,
        due_s=due_s,
        request=request_to_json(request),
        verdict=verdict_record(verdict),
        embedding=packed(evidence.embedding) if evidence is not None else b"",
        image=request.image if keep_image else None,
    )


def packed(embedding: tuple[float, ...]) -> bytes:
    """float32, of this machine's byte order, which is little-endian wherever gatepost runs."""
    return array("f", embedding).tobytes()


def unpacked(kept: bytes) -> tuple[float, ...]:
    """As `packed` took it, to float32's precision."""
    return tuple(array("f", kept))
