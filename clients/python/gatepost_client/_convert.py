"""Protobuf to the SDK's own values."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC

from gatepost.v1 import policy_pb2, verdict_pb2
from gatepost_client.asked import AskedSpan, AskedText, SpanKind, Tightening
from gatepost_client.people import Ground, PeoplesAnswer
from gatepost_client.policy import Policy, Rule, Thresholds
from gatepost_client.verdict import (
    Background,
    Category,
    Coverage,
    Decision,
    ImageFacts,
    ImageFinding,
    Reason,
    ReasonCode,
    Skipped,
    StageCoverage,
    TextLine,
    UserMessage,
    Verdict,
    Versioned,
    View,
)

_DECISIONS: dict[int, Decision] = {
    verdict_pb2.DECISION_ALLOW: Decision.ALLOW,
    verdict_pb2.DECISION_REVIEW: Decision.REVIEW,
    verdict_pb2.DECISION_BLOCK: Decision.BLOCK,
    verdict_pb2.DECISION_HOLD: Decision.HOLD,
}
_CATEGORIES: dict[int, Category] = {
    getattr(verdict_pb2, f"CATEGORY_{category.name}"): category
    for category in Category
    if category.name != "UNSPECIFIED"
}
_REASON_CODES: dict[int, ReasonCode] = {
    getattr(verdict_pb2, f"REASON_CODE_{code.name}"): code
    for code in ReasonCode
    if code not in (ReasonCode.UNSPECIFIED, ReasonCode.REQUEST_FAILED)
}
_BACKGROUNDS: dict[int, Background] = {
    verdict_pb2.View.BACKGROUND_OPAQUE: Background.OPAQUE,
    verdict_pb2.View.BACKGROUND_WHITE: Background.WHITE,
    verdict_pb2.View.BACKGROUND_BLACK: Background.BLACK,
}
_SPAN_KINDS: dict[int, SpanKind] = {
    verdict_pb2.AskedSpan.KIND_MATCHED: SpanKind.MATCHED,
    verdict_pb2.AskedSpan.KIND_MISSING: SpanKind.MISSING,
    verdict_pb2.AskedSpan.KIND_UNEXPECTED: SpanKind.UNEXPECTED,
    verdict_pb2.AskedSpan.KIND_DECORATIVE: SpanKind.DECORATIVE,
}
_GROUNDS: dict[int, Ground] = {
    verdict_pb2.PeoplesAnswer.GROUND_REQUEST: Ground.REQUEST,
    verdict_pb2.PeoplesAnswer.GROUND_PICTURE: Ground.PICTURE,
}


def decision_from_proto(decision: int) -> Decision:
    """HOLD for whatever is not known: what cannot be understood cannot be an ALLOW."""
    return _DECISIONS.get(decision, Decision.HOLD)


def category_from_proto(category: int) -> Category:
    return _CATEGORIES.get(category, Category.UNSPECIFIED)


def verdict_from_proto(message: verdict_pb2.Verdict) -> Verdict:
    """The SDK's value of a verdict on the wire."""
    return Verdict(
        decision=decision_from_proto(message.decision),
        name=message.name,
        request_id=message.request_id,
        reasons=tuple(_reason(reason) for reason in message.reasons),
        scores=_scores(message.scores),
        score_sources={category_from_proto(score.category): score.source for score in message.scores},
        lines=tuple(_line(line) for line in message.lines),
        image_findings=tuple(_finding(finding) for finding in message.image_findings),
        image=_image(message.image) if message.HasField("image") else None,
        coverage=_coverage(message.coverage),
        policy=Versioned(message.policy.name, message.policy.version) if message.HasField("policy") else None,
        models=tuple(Versioned(model.name, model.version) for model in message.models),
        user_message=(
            UserMessage(message.user_message.locale, message.user_message.text) if message.user_message.text else None
        ),
        timings_ms=dict(message.timings_ms),
        created=message.create_time.ToDatetime(UTC) if message.HasField("create_time") else None,
        annotated_image=message.annotated_image,
        embedding=tuple(message.embedding),
        record=message.record,
        ticket=message.ticket,
        pending=message.pending and message.decision == verdict_pb2.DECISION_HOLD,
        asked_text=_asked_text(message.asked_text) if message.HasField("asked_text") else None,
        tightening=(
            Tightening(message.tightening.factor, tuple(message.tightening.grounds))
            if message.HasField("tightening")
            else None
        ),
        people=_people(message.people) if message.HasField("people") else None,
        prompt_similarity=message.prompt_similarity if message.HasField("prompt_similarity") else None,
    )


def policy_from_proto(message: policy_pb2.Policy) -> Policy:
    """The SDK's value of a policy on the wire."""
    return Policy(
        name=message.name,
        version=message.version,
        description=message.description,
        is_default=message.is_default,
        thresholds={
            category_from_proto(entry.category): Thresholds(entry.review, entry.block) for entry in message.thresholds
        },
        mandatory_stages=tuple(message.mandatory_stages),
        locales=tuple(message.locales),
        rules=tuple(Rule(rule.name, rule.expression, decision_from_proto(rule.decision)) for rule in message.rules),
    )


def _scores(scores: Iterable[verdict_pb2.CategoryScore]) -> dict[Category, float]:
    best: dict[Category, float] = {}
    for score in scores:  # several that this version does not know share one key: keep the gravest
        category = category_from_proto(score.category)
        best[category] = max(score.score, best.get(category, 0.0))
    return best


def _reason(reason: verdict_pb2.Reason) -> Reason:
    scored = reason.code == verdict_pb2.REASON_CODE_SCORE
    return Reason(
        code=_REASON_CODES.get(reason.code, ReasonCode.UNSPECIFIED),
        decision=decision_from_proto(reason.decision),
        category=category_from_proto(reason.category) if reason.category else None,
        score=reason.score if scored else None,
        threshold=reason.threshold if scored else None,
        source=reason.source,
        detail=reason.detail,
    )


def _view(view: verdict_pb2.View) -> View:
    return View(view.frame, _BACKGROUNDS.get(view.background, Background.UNSPECIFIED))


def _line(line: verdict_pb2.TextLine) -> TextLine:
    return TextLine(
        polygon=tuple((point.x, point.y) for point in line.polygon),
        text=line.text,
        normalized_text=line.normalized_text,
        language=line.language,
        confidence=line.confidence,
        scores=_scores(line.scores),
        expected=line.expected_similarity if line.HasField("expected_similarity") else None,
        view=_view(line.view),
        matches=tuple(line.matches),
    )


def _people(people: verdict_pb2.PeoplesAnswer) -> PeoplesAnswer:
    return PeoplesAnswer(
        waiting=people.waiting,
        decided=people.decide_time.ToDatetime(UTC) if people.HasField("decide_time") else None,
        appealed=people.appealed,
        appeal_granted=people.appeal_granted,
        ground=_GROUNDS.get(people.ground, Ground.UNSPECIFIED),
    )


def _asked_text(asked: verdict_pb2.AskedText) -> AskedText:
    return AskedText(asked=tuple(asked.asked), spans=tuple(_span(span) for span in asked.spans))


def _span(span: verdict_pb2.AskedSpan) -> AskedSpan:
    return AskedSpan(
        kind=_SPAN_KINDS.get(span.kind, SpanKind.UNSPECIFIED),
        asked=span.asked,
        drawn=span.drawn,
        similarity=span.similarity,
        score=span.score,
        polygons=tuple(tuple((point.x, point.y) for point in polygon.points) for polygon in span.polygons),
        lines=tuple(span.lines),
    )


def _finding(finding: verdict_pb2.ImageFinding) -> ImageFinding:
    corners = finding.top_left, finding.bottom_right
    return ImageFinding(
        category=category_from_proto(finding.category),
        score=finding.score,
        region=(corners[0].x, corners[0].y, corners[1].x, corners[1].y),
    )


def _image(image: verdict_pb2.ImageFacts) -> ImageFacts:
    return ImageFacts(
        sha256=image.sha256,
        pdq=image.pdq,
        pdq_quality=image.pdq_quality,
        width=image.width,
        height=image.height,
        format=image.format,
        frames=image.frames,
        views=tuple(_view(view) for view in image.views),
    )


def _coverage(coverage: verdict_pb2.Coverage) -> Coverage:
    return Coverage(
        complete=coverage.complete,
        stages=tuple(
            StageCoverage(
                stage=stage.stage,
                looked_at=dict(stage.looked_at),
                skipped=tuple(Skipped(skipped.what, skipped.why) for skipped in stage.skipped),
            )
            for stage in coverage.stages
        ),
        missing_stages=tuple(coverage.missing_stages),
        scripts=dict(coverage.scripts),
        unjudged_scripts=tuple(coverage.unjudged_scripts),
    )
