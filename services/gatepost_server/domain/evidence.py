"""What the models saw. Evidence knows no thresholds: a policy may judge it again at any time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gatepost_server.domain.labels import Background, Category, StageName

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A net that took part. `version` is a release name or the first 12 hex digits of a SHA-256."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class View:
    """One picture that the nets looked at: a frame of the image on a background."""

    frame: int
    background: Background = Background.OPAQUE


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """Facts of the encoded image. Width and height in pixels, after EXIF orientation."""

    sha256: str
    pdq: str  # 64 hex digits of the first view's PDQ hash
    pdq_quality: int  # 0 to 100; below 50 the hash says little (ThreatExchange's advice)
    width: int
    height: int
    format: str  # Pillow's name: JPEG, PNG, WEBP, GIF, AVIF, BMP, TIFF
    frames: int
    views: tuple[View, ...]


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of text as it was read. Polygon points are pixels of the upright original image."""

    polygon: tuple[Point, ...]
    view: int  # index into ImageFacts.views
    text: str
    normalized: str
    language: str  # BCP 47 primary tag: "zh", "en", or "und"
    confidence: float  # 0 to 1, the recogniser's mean character probability
    scores: Mapping[Category, float]
    expected: float | None  # 0 to 1 similarity to the text asked for; None where nothing was asked for
    matches: tuple[str, ...] = ()  # lexicon entries found, "category:term"


@dataclass(frozen=True, slots=True)
class ImageFinding:
    """How strongly one category shows in the picture itself, and in which part of it."""

    score: float
    region: tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels of the upright original


@dataclass(frozen=True, slots=True)
class Fused:
    """A category's calibrated score after fusion, and what it rests on.

    `source` is "line:<i>" (index into Evidence.lines), "joined" (the lines read together), "image",
    "text+image", or "none".
    """

    score: float
    source: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was not looked at, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class StageReport:
    """One stage's own account of one request. Times are CLOCK_MONOTONIC seconds of the host."""

    stage: StageName
    started: float
    ended: float
    models: tuple[ModelVersion, ...] = ()
    looked_at: Mapping[str, int] = field(default_factory=dict)  # e.g. {"frames": 3, "views": 6}
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that one run of the ensemble found in one image."""

    image: ImageFacts
    lines: tuple[TextLine, ...]
    joined_text: str
    joined_scores: Mapping[Category, float]
    image_findings: Mapping[Category, ImageFinding]
    prompt_similarity: float | None  # -1 to 1 cosine; None without a prompt
    embedding: tuple[float, ...]  # unit length; () when it was not asked for
    fused: Mapping[Category, Fused]
    reports: tuple[StageReport, ...]


def approximate_bytes(evidence: Evidence) -> int:
    """What it takes in memory: lines weigh most. Measured with tracemalloc on CPython 3.11."""
    texts = 2 * sum(len(line.text) for line in evidence.lines)
    return 4_000 + 1_800 * len(evidence.lines) + 4 * texts + 32 * len(evidence.embedding)
