"""Protobuf <-> domain. Nothing else in the server knows both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeVar

from gatepost.v1 import moderation_pb2 as moderation
from gatepost.v1 import policy_pb2
from gatepost.v1 import verdict_pb2 as wire
from gatepost_server.domain.answer import Answer, Ground
from gatepost_server.domain.asked import AskedSpan, AskedText, SpanKind
from gatepost_server.domain.decision import Coverage, ModerationRequest, Reason, ReasonCode, Turn, Verdict
from gatepost_server.domain.evidence import Evidence, ImageFacts, ImageFinding, TextLine, View
from gatepost_server.domain.labels import CATEGORIES, Background, Category, Decision
from gatepost_server.policy.load import Policy
from gatepost_server.records.codec import verdict_record
from gatepost_server.scoring.base import Priority

LINE_SCORE_FLOOR = 0.01  # lower line scores are noise and stay off the wire

_Word = TypeVar("_Word", bound=StrEnum)
_Number = TypeVar("_Number", bound=int)


def _numbers(words: type[_Word], prefix: str, value: Callable[[str], _Number]) -> Mapping[_Word, _Number]:
    """Every word's enum number; raises ValueError at import when the .proto lacks one."""
    return {word: value(f"{prefix}_{word.name}") for word in words}


DECISIONS = _numbers(Decision, "DECISION", wire.Decision.Value)
CATEGORY_NUMBERS = _numbers(Category, "CATEGORY", wire.Category.Value)
REASON_CODES = _numbers(ReasonCode, "REASON_CODE", wire.ReasonCode.Value)
SPAN_KINDS = _numbers(SpanKind, "KIND", wire.AskedSpan.Kind.Value)
GROUNDS = _numbers(Ground, "GROUND", wire.PeoplesAnswer.Ground.Value)
BACKGROUNDS = _numbers(Background, "BACKGROUND", wire.View.Background.Value)
_ROLES = {
    moderation.Turn.ROLE_UNSPECIFIED: "user",
    moderation.Turn.ROLE_USER: "user",
    moderation.Turn.ROLE_ASSISTANT: "assistant",
}

_PRIORITIES = {
    moderation.URGENCY_INTERACTIVE: Priority.INTERACTIVE,
    moderation.URGENCY_NEARLINE: Priority.NEARLINE,
    moderation.URGENCY_RESCAN: Priority.RESCAN,
}


def priority_from_wire(message: moderation.ModerateRequest, *, default: Priority) -> Priority:
    """How soon it is needed; the default for what is not said and for words of a later version."""
    return _PRIORITIES.get(message.urgency, default)


def request_from_wire(message: moderation.ModerateRequest, *, request_id: str) -> ModerationRequest:
    """The domain's request. An image given by URI is left empty, for the caller to fill in."""
    return ModerationRequest(
        request_id=request_id,
        image=message.image,
        prompt=message.prompt,
        expected_text=tuple(message.expected_text),
        turns=tuple(Turn(_ROLES.get(turn.role, "user"), turn.text) for turn in message.turns),
        turn_count=message.turn_count,
        locale=message.locale or "en",
        policy=message.policy,
        labels=dict(message.labels),
        want_embedding=message.extras.embedding,
        subject=message.subject,
    )


def verdict_to_wire(verdict: Verdict, extras: moderation.Extras) -> wire.Verdict:
    """The answer, with the optional parts that `extras` asks for (but for the annotated image)."""
    judgement, evidence = verdict.judgement, verdict.evidence
    message = wire.Verdict(
        name=verdict.name,
        request_id=verdict.request_id,
        decision=DECISIONS[judgement.decision],
        reasons=[_reason(reason) for reason in judgement.reasons],
        coverage=_coverage(judgement.coverage),
        policy=wire.PolicyRef(name=judgement.policy, version=judgement.policy_version),
        timings_ms=verdict.timings_ms,
        pending=verdict.pending,
        ticket=verdict.ticket,
    )
    message.create_time.FromMicroseconds(round(verdict.created * 1e6))  # a float holds no nanoseconds of today
    if judgement.user_message:
        message.user_message.locale = judgement.user_locale
        message.user_message.text = judgement.user_message
    if judgement.asked_text is not None:
        message.asked_text.CopyFrom(_asked_text(judgement.asked_text))
    if judgement.tightening is not None:
        message.tightening.factor = judgement.tightening.factor
        message.tightening.grounds.extend(judgement.tightening.grounds)
    if verdict.people is not None:
        message.people.CopyFrom(_people(verdict.people))
    if evidence is not None:
        _add_evidence(message, evidence, extras)
    if extras.record:
        message.record = verdict_record(verdict)
    return message


def policy_to_wire(policy: Policy, *, is_default: bool) -> policy_pb2.Policy:
    """What callers may know of a policy: its lists and messages stay with the operator."""
    document = policy.document
    return policy_pb2.Policy(
        name=document.name,
        version=policy.version,
        description=document.description,
        is_default=is_default,
        thresholds=[
            policy_pb2.CategoryThresholds(
                category=CATEGORY_NUMBERS[category],
                review=document.thresholds[category].review,
                block=document.thresholds[category].block,
            )
            for category in CATEGORIES
            if category in document.thresholds
        ],
        mandatory_stages=list(document.mandatory_stages),
        locales=sorted(document.messages),
        rules=[
            policy_pb2.Rule(name=rule.name, expression=rule.expression, decision=DECISIONS[rule.decision])
            for rule in document.rules
        ],
    )


def _add_evidence(message: wire.Verdict, evidence: Evidence, extras: moderation.Extras) -> None:
    message.scores.extend(
        wire.CategoryScore(category=CATEGORY_NUMBERS[category], score=fused.score, source=fused.source)
        for category in CATEGORIES
        if (fused := evidence.fused.get(category)) is not None
    )
    message.image.CopyFrom(_image(evidence.image))
    models = dict.fromkeys(model for report in evidence.reports for model in report.models)
    message.models.extend(wire.ModelRef(name=model.name, version=model.version) for model in models)
    if evidence.prompt_similarity is not None:
        message.prompt_similarity = evidence.prompt_similarity
    if extras.evidence:
        message.lines.extend(_line(line, evidence.image) for line in evidence.lines)
        message.image_findings.extend(
            _finding(category, evidence.image_findings[category])
            for category in CATEGORIES
            if category in evidence.image_findings
        )
    if extras.embedding:
        message.embedding.extend(evidence.embedding)


def _reason(reason: Reason) -> wire.Reason:
    return wire.Reason(
        code=REASON_CODES[reason.code],
        decision=DECISIONS[reason.decision],
        category=CATEGORY_NUMBERS[reason.category] if reason.category else wire.CATEGORY_UNSPECIFIED,
        score=reason.score or 0.0,
        threshold=reason.threshold or 0.0,
        source=reason.source,
        detail=reason.detail,
    )


def _asked_text(asked: AskedText) -> wire.AskedText:
    return wire.AskedText(asked=asked.asked, spans=[_span(span) for span in asked.spans])


def _people(answer: Answer) -> wire.PeoplesAnswer:
    message = wire.PeoplesAnswer(
        waiting=answer.waiting,
        decision=DECISIONS[answer.decision] if answer.decision is not None else wire.DECISION_UNSPECIFIED,
        appealed=answer.appealed,
        appeal_granted=answer.granted,
        ground=GROUNDS[answer.ground] if answer.ground is not None else wire.PeoplesAnswer.GROUND_UNSPECIFIED,
    )
    if answer.decision is not None:
        message.decide_time.FromMicroseconds(round(answer.decided * 1e6))
    return message


def _span(span: AskedSpan) -> wire.AskedSpan:
    return wire.AskedSpan(
        kind=SPAN_KINDS[span.kind],
        asked=span.asked,
        drawn=span.drawn,
        similarity=span.similarity,
        score=span.score,
        polygons=[wire.Polygon(points=[wire.Point(x=x, y=y) for x, y in polygon]) for polygon in span.polygons],
        lines=span.lines,
    )


def _coverage(coverage: Coverage) -> wire.Coverage:
    return wire.Coverage(
        complete=coverage.complete,
        stages=[
            wire.StageCoverage(
                stage=report.stage,
                looked_at=report.looked_at,
                skipped=[wire.Skipped(what=skipped.what, why=skipped.why) for skipped in report.skipped],
            )
            for report in coverage.stages
        ],
        missing_stages=list(coverage.missing),
        scripts=coverage.scripts,
        unjudged_scripts=list(coverage.unjudged_scripts),
    )


def _image(facts: ImageFacts) -> wire.ImageFacts:
    return wire.ImageFacts(
        sha256=facts.sha256,
        pdq=facts.pdq,
        pdq_quality=facts.pdq_quality,
        width=facts.width,
        height=facts.height,
        format=facts.format,
        frames=facts.frames,
        views=[_view(view) for view in facts.views],
    )


def _view(view: View) -> wire.View:
    return wire.View(frame=view.frame, background=BACKGROUNDS[view.background])


def _line(line: TextLine, facts: ImageFacts) -> wire.TextLine:
    return wire.TextLine(
        polygon=[wire.Point(x=x, y=y) for x, y in line.polygon],
        text=line.text,
        normalized_text=line.normalized,
        language=line.language,
        confidence=line.confidence,
        scores=[
            wire.CategoryScore(category=CATEGORY_NUMBERS[category], score=line.scores[category])
            for category in CATEGORIES
            if line.scores.get(category, 0.0) > LINE_SCORE_FLOOR
        ],
        expected_similarity=line.expected,
        view=_view(facts.views[line.view]),
        matches=line.matches,
    )


def _finding(category: Category, finding: ImageFinding) -> wire.ImageFinding:
    x0, y0, x1, y1 = finding.region
    return wire.ImageFinding(
        category=CATEGORY_NUMBERS[category],
        score=finding.score,
        top_left=wire.Point(x=x0, y=y0),
        bottom_right=wire.Point(x=x1, y=y1),
    )
