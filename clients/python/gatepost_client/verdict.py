"""What the server says of an image, as plain frozen values.

Mappings hold what the server sent and must not be changed. Enumerations have an UNSPECIFIED member
for values that a newer server knows and this version does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from gatepost_client.asked import AskedText, Tightening
from gatepost_client.errors import GatepostError
from gatepost_client.people import PeoplesAnswer


class Decision(StrEnum):
    """What may happen to an image; only ALLOW means that it may be shown."""

    ALLOW = "ALLOW"
    REVIEW = "REVIEW"
    BLOCK = "BLOCK"
    HOLD = "HOLD"


class Category(StrEnum):
    """A kind of harm."""

    INSULT = "insult"
    HATE = "hate"
    THREAT = "threat"
    SEXUAL = "sexual"
    VIOLENCE = "violence"
    WEAPONS = "weapons"
    SELF_HARM = "self_harm"
    DRUGS = "drugs"
    HATE_SYMBOL = "hate_symbol"
    SPAM = "spam"
    ILL_OMEN = "ill_omen"
    OFF_SCRIPT = "off_script"
    UNSPECIFIED = "unspecified"


class ReasonCode(StrEnum):
    """Why a decision is not ALLOW."""

    SCORE = "SCORE"  # a category's score reached the policy's threshold
    BLOCK_LIST = "BLOCK_LIST"  # a text on the policy's block list was found
    RULE = "RULE"  # a rule of the policy was true
    COVERAGE = "COVERAGE"  # a mandatory stage is missing or did not look at everything
    DEADLINE = "DEADLINE"  # no answer in time
    OVERLOAD = "OVERLOAD"  # too much was in flight
    STAGE_FAILED = "STAGE_FAILED"  # a stage failed
    REQUEST_FAILED = "REQUEST_FAILED"  # made by gate() alone: there was no answer; see Verdict.error
    UNSPECIFIED = "UNSPECIFIED"


class Background(StrEnum):
    """What a transparent image was laid on before it was looked at."""

    OPAQUE = "opaque"
    WHITE = "white"
    BLACK = "black"
    UNSPECIFIED = "unspecified"


@dataclass(frozen=True, slots=True)
class Reason:
    """One ground for a decision."""

    code: ReasonCode
    decision: Decision  # what this ground alone leads to
    category: Category | None = None  # for scores and block lists
    score: float | None = None  # 0 to 1, for SCORE
    threshold: float | None = None  # 0 to 1, for SCORE: what the score reached
    source: str = ""  # what it rests on: "line:<index>", "joined", "image", "text+image"
    detail: str = ""  # a rule's name, a list entry's id, an error's reason; never text from the image


@dataclass(frozen=True, slots=True)
class View:
    """A picture that the models looked at: a frame, from 0, on a background."""

    frame: int = 0
    background: Background = Background.OPAQUE


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of text in the picture."""

    polygon: tuple[
        tuple[float, float], ...
    ]  # corners x, y in pixels of the upright image, clockwise in reading direction
    text: str  # as it was read
    normalized_text: str = ""  # as it was judged: folded, evasions undone
    language: str = "und"  # "zh", "en" or "und"
    confidence: float = 0.0  # 0 to 1, mean over its characters
    scores: Mapping[Category, float] = field(default_factory=dict)  # 0 to 1; only those above 0.01
    expected: float | None = None  # 0 to 1, likeness to the expected text; None where none was given
    view: View = View()  # where it was read
    matches: tuple[str, ...] = ()  # lexicon entries found, "category:term"


@dataclass(frozen=True, slots=True)
class ImageFinding:
    """What the picture itself shows of one category."""

    category: Category
    score: float  # 0 to 1
    region: tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels of the upright image: where it shows most


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """Facts of the image."""

    sha256: str  # of the encoded file, 64 hex digits
    pdq: str  # perceptual hash of the first view, 64 hex digits
    pdq_quality: int  # 0 to 100; below 50 the hash says little
    width: int  # pixels, upright
    height: int  # pixels, upright
    format: str  # "JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP" or "TIFF"
    frames: int  # how many the file holds
    views: tuple[View, ...] = ()  # what the models looked at


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was not looked at, e.g. "frame 7", and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class StageCoverage:
    """One stage's account of what it looked at, e.g. {"views": 2}, and what it did not."""

    stage: str
    looked_at: Mapping[str, int] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was and was not looked at."""

    complete: bool = False  # every mandatory stage looked at everything that the policy requires
    stages: tuple[StageCoverage, ...] = ()
    missing_stages: tuple[str, ...] = ()  # mandatory stages that did not run
    scripts: Mapping[str, int] = field(default_factory=dict)  # lines of text by script, ISO 15924: {"Hani": 2}
    unjudged_scripts: tuple[str, ...] = ()  # those that no model judges: seen, not understood


@dataclass(frozen=True, slots=True)
class Versioned:
    """A policy or a model that took part, and which version of it."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class UserMessage:
    """For the person who asked: kind, in their language, and silent about what was found."""

    locale: str  # BCP 47
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one image. Show the image if and only if `allowed`."""

    decision: Decision
    name: str = ""  # "verdicts/<id>", for get_verdict(); "" where the server never answered
    request_id: str = ""
    reasons: tuple[Reason, ...] = ()  # the gravest first; empty for ALLOW
    scores: Mapping[Category, float] = field(default_factory=dict)  # 0 to 1, text and image fused
    score_sources: Mapping[Category, str] = field(default_factory=dict)  # what each score rests on, as Reason.source
    lines: tuple[TextLine, ...] = ()  # with evidence=True
    image_findings: tuple[ImageFinding, ...] = ()  # with evidence=True
    image: ImageFacts | None = None  # None where the image could not be looked at
    coverage: Coverage = Coverage()
    policy: Versioned | None = None
    models: tuple[Versioned, ...] = ()
    user_message: UserMessage | None = None
    timings_ms: Mapping[str, float] = field(default_factory=dict)  # by stage, "queue", "gateway" and "total"
    created: datetime | None = None  # UTC
    annotated_image: bytes = b""  # PNG, with annotated_image=True
    embedding: tuple[float, ...] = ()  # unit length, with embedding=True
    record: bytes = b""  # JSON of gatepost's own, for its tools, with record=True
    ticket: str = ""  # the signed release ticket of an ALLOW
    prompt_similarity: float | None = None  # -1 to 1; None without a prompt
    asked_text: AskedText | None = None  # None where nothing was asked for
    tightening: Tightening | None = None  # None where the conversation changed nothing
    pending: bool = False  # a HOLD on which the work goes on: watch_verdict() delivers what comes of it
    people: PeoplesAnswer | None = None  # what people did with it; None where they have no part in it
    error: GatepostError | None = None  # why gate() had to hold the image; None for every answer of a server

    @property
    def allowed(self) -> bool:
        """Whether the image may be shown."""
        return self.decision is Decision.ALLOW

    def to_dict(self) -> dict[str, Any]:
        """The verdict in types that JSON knows. Left out: annotated_image, embedding, record and error."""
        return {
            "name": self.name,
            "request_id": self.request_id,
            "decision": self.decision.value,
            "pending": self.pending,
            "reasons": [_reason(reason) for reason in self.reasons],
            "scores": _scores(self.scores),
            "score_sources": {category.value: source for category, source in self.score_sources.items()},
            "lines": [_line(line) for line in self.lines],
            "image_findings": [
                {
                    "category": finding.category.value,
                    "score": _short(finding.score),
                    "region": [_short(side) for side in finding.region],
                }
                for finding in self.image_findings
            ],
            "coverage": _coverage(self.coverage),
            "image": _image(self.image) if self.image else None,
            "policy": _versioned(self.policy) if self.policy else None,
            "models": [_versioned(model) for model in self.models],
            "user_message": (
                {"locale": self.user_message.locale, "text": self.user_message.text} if self.user_message else None
            ),
            "ticket": self.ticket,
            "prompt_similarity": None if self.prompt_similarity is None else _short(self.prompt_similarity),
            "asked_text": self.asked_text.to_dict() if self.asked_text else None,
            "tightening": self.tightening.to_dict() if self.tightening else None,
            "people": self.people.to_dict() if self.people else None,
            "timing_ms": {part: round(spent, 3) for part, spent in self.timings_ms.items()},
            "created": self.created.isoformat() if self.created else None,
        }


def _short(value: float) -> float:
    """Without the digits that float32 on the wire makes up."""
    return round(value, 6)


def _scores(scores: Mapping[Category, float]) -> dict[str, float]:
    return {category.value: _short(score) for category, score in scores.items()}


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "code": reason.code.value,
        "decision": reason.decision.value,
        "category": reason.category.value if reason.category else None,
        "score": None if reason.score is None else _short(reason.score),
        "threshold": None if reason.threshold is None else _short(reason.threshold),
        "source": reason.source,
        "detail": reason.detail,
    }


def _line(line: TextLine) -> dict[str, Any]:
    return {
        "text": line.text,
        "normalized_text": line.normalized_text,
        "language": line.language,
        "polygon": [[_short(x), _short(y)] for x, y in line.polygon],
        "confidence": _short(line.confidence),
        "scores": _scores(line.scores),
        "expected": None if line.expected is None else _short(line.expected),
        "view": _view(line.view),
        "matches": list(line.matches),
    }


def _view(view: View) -> dict[str, Any]:
    return {"frame": view.frame, "background": view.background.value}


def _coverage(coverage: Coverage) -> dict[str, Any]:
    return {
        "complete": coverage.complete,
        "stages": [
            {
                "stage": stage.stage,
                "looked_at": dict(stage.looked_at),
                "skipped": [{"what": skipped.what, "why": skipped.why} for skipped in stage.skipped],
            }
            for stage in coverage.stages
        ],
        "missing_stages": list(coverage.missing_stages),
        "scripts": dict(coverage.scripts),
        "unjudged_scripts": list(coverage.unjudged_scripts),
    }


def _image(image: ImageFacts) -> dict[str, Any]:
    return {
        "sha256": image.sha256,
        "pdq": image.pdq,
        "pdq_quality": image.pdq_quality,
        "width": image.width,
        "height": image.height,
        "format": image.format,
        "frames": image.frames,
        "views": [_view(view) for view in image.views],
    }


def _versioned(item: Versioned) -> dict[str, str]:
    return {"name": item.name, "version": item.version}
