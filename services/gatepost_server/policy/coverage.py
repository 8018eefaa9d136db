"""Did every mandatory stage look at everything? What one stage handed on, the next must have taken.

Pure. A gap is HOLD where something is missing or makes no sense, REVIEW where a stage says itself what it left out or
where a text is written in a script that nothing here judges.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from gatepost_server.domain.decision import Coverage, ModerationRequest, Reason, ReasonCode
from gatepost_server.domain.evidence import Evidence, Skipped, StageReport
from gatepost_server.domain.labels import CATEGORIES, Category, Decision, StageName
from gatepost_server.policy.document import PolicyDocument
from gatepost_server.policy.scripts import is_guessed, lines_by_script
from gatepost_server.text.scripts import JUDGED_SCRIPTS

_VIEWED = (StageName.DECODE, StageName.OCR_DETECT, StageName.CLIP)
_LINED = (StageName.OCR_RECOGNIZE, StageName.TEXT_TOXICITY, StageName.FUSION)
_SURE = 0.5  # lines that are read as surely as this are read together; of others it depends
_WITHOUT_NETS = frozenset({StageName.DECODE})


def cover(
    evidence: Evidence, request: ModerationRequest, document: PolicyDocument
) -> tuple[Coverage, tuple[Reason, ...]]:
    """The receipt, and a reason for each gap in it."""
    reports = {report.stage: report for report in evidence.reports}
    mandatory = [stage for stage in document.mandatory_stages if stage in reports]
    missing = tuple(stage for stage in document.mandatory_stages if stage not in reports)
    reasons = [Reason(ReasonCode.COVERAGE, Decision.HOLD, detail=stage) for stage in missing]
    reasons += [
        Reason(ReasonCode.COVERAGE, Decision.HOLD, category, detail="unscored") for category in _unscored(evidence)
    ]
    gaps = dict.fromkeys((stage, what) for stage, what in _gaps(evidence, request, reports) if stage in mandatory)
    reasons += [Reason(ReasonCode.COVERAGE, Decision.HOLD, detail=f"{stage}:{what}") for stage, what in gaps]
    skipped = [(report.stage, each) for report in evidence.reports for each in report.skipped]
    if is_guessed(evidence.lines):
        skipped.append((StageName.OCR_RECOGNIZE, Skipped("text", "no letter could be read surely")))
    intolerable = dict.fromkeys(
        stage for stage, each in skipped if stage in mandatory and not each.why.startswith(document.tolerated_skips)
    )
    reasons += [Reason(ReasonCode.COVERAGE, Decision.REVIEW, detail=f"{stage}:skipped") for stage in intolerable]
    scripts = lines_by_script(evidence.lines)
    unjudged = tuple(script for script in scripts if script not in JUDGED_SCRIPTS)
    reasons += [
        Reason(ReasonCode.COVERAGE, Decision.REVIEW, detail=f"script:{script}")
        for script in unjudged
        if script not in document.tolerated_scripts
    ]
    receipt = Coverage(not reasons, evidence.reports, missing, tuple(each for _, each in skipped), scripts, unjudged)
    return receipt, tuple(reasons)


def _unscored(evidence: Evidence) -> Iterator[Category]:
    for category in CATEGORIES:
        fused = evidence.fused.get(category)
        if fused is None or not _is_probability(fused.score):
            yield category


def _gaps(
    evidence: Evidence, request: ModerationRequest, reports: Mapping[StageName, StageReport]
) -> Iterator[tuple[StageName, str]]:
    """What does not add up, by the stage that would have had to say it."""
    yield from _view_gaps(evidence, reports)
    yield from _line_gaps(evidence, reports)
    for stage, report in reports.items():
        if not report.models and stage not in _WITHOUT_NETS:
            yield stage, "models"
        if any(count < 0 for count in report.looked_at.values()):
            yield stage, "counts"
    if not _are_probabilities(evidence.joined_scores) or _is_unjoined(evidence):
        yield StageName.TEXT_TOXICITY, "joined"
    for finding in evidence.image_findings.values():
        if not all(map(math.isfinite, (finding.score, *finding.region))):
            yield StageName.CLIP, "scores"
    similarity = evidence.prompt_similarity
    if (similarity is None and request.prompt.strip()) or (similarity is not None and not math.isfinite(similarity)):
        yield StageName.CLIP, "prompt"


def _view_gaps(evidence: Evidence, reports: Mapping[StageName, StageReport]) -> Iterator[tuple[StageName, str]]:
    """Every frame is in a view, like one that is, or left out and said so; every view was looked at by whoever looks
    at views."""
    views = evidence.image.views
    frames = {view.frame for view in views}
    for stage in _VIEWED:
        if stage in reports and (not views or reports[stage].looked_at.get("views") != len(views)):
            yield stage, "views"
    decode, clip = reports.get(StageName.DECODE), reports.get(StageName.CLIP)
    if decode is not None:
        alike, left_out = (decode.looked_at.get(name, 0) for name in ("frames_alike", "frames_left_out"))
        told = decode.looked_at.get("frames") == len(frames) and frames <= set(range(evidence.image.frames))
        # What was left out counts only where decode told so in words, for words are what a policy tolerates.
        if not told or len(frames) + alike + left_out != evidence.image.frames or (left_out and not decode.skipped):
            yield StageName.DECODE, "frames"
    if clip is not None and clip.looked_at.get("tiles", 0) < max(1, len(views)):
        yield StageName.CLIP, "tiles"


def _line_gaps(evidence: Evidence, reports: Mapping[StageName, StageReport]) -> Iterator[tuple[StageName, str]]:
    """Every line that was found was read or is told as unread, and was judged."""
    if StageName.OCR_DETECT in reports:
        found = reports[StageName.OCR_DETECT].looked_at.get("lines")
        if found is None:
            yield StageName.OCR_DETECT, "lines"
        for stage in _LINED:
            if stage in reports and reports[stage].looked_at.get("lines") != found:
                yield stage, "lines"
    if StageName.OCR_RECOGNIZE in reports:
        looked_at = reports[StageName.OCR_RECOGNIZE].looked_at
        if looked_at.get("lines", 0) - looked_at.get("unread", 0) != len(evidence.lines):
            yield StageName.OCR_RECOGNIZE, "lines"
    for line in evidence.lines:
        if not line.text or not _is_probability(line.confidence):
            yield StageName.OCR_RECOGNIZE, "lines"
        if not 0 <= line.view < len(evidence.image.views):
            yield StageName.OCR_DETECT, "views"
        if not _are_probabilities(line.scores):
            yield StageName.TEXT_TOXICITY, "scores"


def _is_unjoined(evidence: Evidence) -> bool:
    """Whether there are lines to be read together, and nothing was."""
    return not evidence.joined_text.strip() and any(line.confidence >= _SURE for line in evidence.lines)


def _are_probabilities(scores: Mapping[Category, float]) -> bool:
    """Whether every category has a score, and every score makes sense."""
    return scores.keys() >= set(CATEGORIES) and all(map(_is_probability, scores.values()))


def _is_probability(score: float) -> bool:
    return 0.0 <= score <= 1.0  # False for NaN
