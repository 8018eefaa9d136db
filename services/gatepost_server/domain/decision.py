"""What was asked, and what a policy made of the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gatepost_server.domain.answer import Answer
from gatepost_server.domain.asked import AskedText
from gatepost_server.domain.evidence import Evidence, Skipped, StageReport
from gatepost_server.domain.labels import Category, Decision, StageName

DEFAULT_TENANT = "default"  # of callers whom nothing tells apart


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of the conversation that led to this image."""

    role: str  # "user" or "assistant"
    text: str


@dataclass(frozen=True, slots=True)
class ModerationRequest:
    """One image to be judged and what is known about why it was made."""

    request_id: str
    image: bytes
    prompt: str = ""
    expected_text: tuple[str, ...] = ()
    turns: tuple[Turn, ...] = ()
    turn_count: int = 0
    locale: str = "en"
    policy: str = ""  # "" is the operator's default
    labels: Mapping[str, str] = field(default_factory=dict)
    want_embedding: bool = False
    tenant: str = DEFAULT_TENANT  # of the credential, never of what the caller says
    subject: str = ""  # a pseudonym of the person who asked, by which their records can be removed
    image_sha256: str = ""  # 64 hex digits, of `image` as it was sent; "" until the moderator has taken it


class ReasonCode(StrEnum):
    """Why a verdict is not ALLOW."""

    SCORE = "SCORE"  # a category's score reached a threshold
    BLOCK_LIST = "BLOCK_LIST"  # a text of the policy's block list was found
    RULE = "RULE"  # a rule of the policy was true
    COVERAGE = "COVERAGE"  # a mandatory stage did not look at everything
    DEADLINE = "DEADLINE"
    OVERLOAD = "OVERLOAD"
    STAGE_FAILED = "STAGE_FAILED"


@dataclass(frozen=True, slots=True)
class Reason:
    """One ground for the decision. Score and threshold are set for SCORE."""

    code: ReasonCode
    decision: Decision
    category: Category | None = None
    score: float | None = None
    threshold: float | None = None
    source: str = ""  # as Fused.source
    detail: str = ""  # a rule's name, a list entry's id; never text from the image


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which mandatory stages ran, in which scripts they read, and what they did not look at."""

    complete: bool
    stages: tuple[StageReport, ...]
    missing: tuple[StageName, ...]
    skipped: tuple[Skipped, ...]
    scripts: Mapping[str, int] = field(default_factory=dict)  # lines by ISO 15924 code
    unjudged_scripts: tuple[str, ...] = ()  # those that no text model judges, tolerated or not


@dataclass(frozen=True, slots=True)
class Tightening:
    """Why the policy's thresholds were lower for this image: what they were multiplied by, above 0 and below 1."""

    factor: float
    grounds: tuple[str, ...]  # "turns", "frustration", "abuse"; never text of the conversation


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a policy says of evidence: the pure part of a verdict."""

    decision: Decision
    reasons: tuple[Reason, ...]  # the gravest first
    coverage: Coverage
    policy: str
    policy_version: str  # SHA-256 of the policy's canonical content, first 16 hex digits
    user_message: str  # in the request's locale; never repeats what was found
    user_locale: str = "en"  # BCP 47 tag of the language that user_message is in
    asked_text: AskedText | None = None  # None where nothing was asked for
    tightening: Tightening | None = None  # None where the conversation changed nothing

    @property
    def category(self) -> Category | None:
        """Of the gravest reason that has one."""
        return next((reason.category for reason in self.reasons if reason.category is not None), None)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The recorded answer to one request."""

    name: str  # "verdicts/<uuid>"
    request_id: str
    judgement: Judgement
    evidence: Evidence | None  # None when nothing could be seen (HOLD)
    created: float  # Unix seconds
    timings_ms: Mapping[str, float]
    pending: bool = False  # a HOLD on which the work goes on, under the same name
    tenant: str = DEFAULT_TENANT  # the only one who may read it
    ticket: str = ""  # the signed release ticket of an ALLOW, where tickets are signed
    people: Answer | None = None  # what people did with it; never of the verdict as it is written down
