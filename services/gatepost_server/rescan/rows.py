"""A verdict, or why there is none, as a row of the results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from gatepost_server.domain.decision import Coverage, Judgement, ModerationRequest, Reason, Verdict
from gatepost_server.domain.evidence import Evidence, TextLine
from gatepost_server.domain.labels import CATEGORIES, Category
from gatepost_server.records.codec import evidence_to_json
from gatepost_server.rescan.failures import Failure
from gatepost_server.rescan.inputs import Input
from gatepost_server.rescan.replay.facts import facts_of

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Content:
    """What identifies the bytes of an image and what is asked of them."""

    sha256: str
    size: int
    key: str


def content_of(each: Input, image: bytes) -> Content:
    """Two inputs with the same key have the same verdict."""
    sha256 = hashlib.sha256(image).hexdigest()
    question = [sha256, each.prompt, each.expected_text, each.locale, sorted(each.labels.items())]
    key = hashlib.blake2b(json.dumps(question).encode(), digest_size=16).hexdigest()
    return Content(sha256, len(image), key)


def question_of(each: Input, image: bytes, *, request_id: str, policy: str) -> ModerationRequest:
    """What is asked of a gateway, or of our own stages."""
    return ModerationRequest(
        request_id=request_id,
        image=image,
        prompt=each.prompt,
        expected_text=each.expected_text,
        locale=each.locale or "en",
        policy=policy,
        labels=each.labels,
        want_embedding=True,
    )


def row_of(each: Input, content: Content | None, answer: Verdict | Failure | None) -> Row:
    """The row by name of column; what is left out is null. Without an answer it is a duplicate's, to be completed."""
    row: Row = {
        "number": each.number,
        "id": each.id,
        "uri": each.uri,
        "tenant": each.tenant,
        "prompt": each.prompt,
        "expected_text": list(each.expected_text),
        "locale": each.locale,
        "labels": list(each.labels.items()),
    }
    if content is not None:
        row |= {"content_key": content.key, "sha256": content.sha256, "size": content.size}
    if isinstance(answer, Failure):
        row["error"] = {"code": answer.code.value, "reason": str(answer.reason), "message": answer.message}
    elif answer is not None:
        row |= _judged(answer.judgement)
        row |= {"timings_ms": list(answer.timings_ms.items()), "scored_at": datetime.fromtimestamp(answer.created, UTC)}
        if answer.evidence is not None:
            row |= _seen(answer.evidence)
            row["facts"] = facts_of(answer.evidence, question_of(each, b"", request_id="", policy=""))
            if answer.evidence.embedding:
                row["embedding"] = answer.evidence.embedding
    return row


def _judged(judgement: Judgement) -> Row:
    return {
        "decision": judgement.decision.value,
        "reasons": [_reason(reason) for reason in judgement.reasons],
        "policy": {"name": judgement.policy, "version": judgement.policy_version},
        "coverage": _coverage(judgement.coverage),
    }


def _seen(evidence: Evidence) -> Row:
    facts = evidence.image
    models = dict.fromkeys(model for report in evidence.reports for model in report.models)
    return {
        "pdq": facts.pdq,
        "pdq_quality": facts.pdq_quality,
        "width": facts.width,
        "height": facts.height,
        "format": facts.format,
        "frames": facts.frames,
        "scores": {category: fused.score for category, fused in evidence.fused.items()},
        "score_sources": {category: fused.source for category, fused in evidence.fused.items()},
        "image_scores": {category: finding.score for category, finding in evidence.image_findings.items()},
        "joined_text": evidence.joined_text,
        "joined_scores": _scores(evidence.joined_scores),
        "lines": [_line(line) for line in evidence.lines],
        "models": [asdict(model) for model in models],
        "prompt_similarity": evidence.prompt_similarity,
        "evidence": evidence_to_json(evidence),
    }


def _reason(reason: Reason) -> Row:
    return {
        "code": reason.code.value,
        "decision": reason.decision.value,
        "category": reason.category.value if reason.category else None,
        "score": reason.score,
        "threshold": reason.threshold,
        "source": reason.source,
        "detail": reason.detail,
    }


def _line(line: TextLine) -> Row:
    return {
        "text": line.text,
        "normalized": line.normalized,
        "language": line.language,
        "confidence": line.confidence,
        "polygon": [side for point in line.polygon for side in point],
        "view": line.view,
        "expected": line.expected,
        "scores": _scores(line.scores),
        "matches": list(line.matches),
    }


def _coverage(coverage: Coverage) -> Row:
    return {
        "complete": coverage.complete,
        "missing": [stage.value for stage in coverage.missing],
        "stages": [
            {
                "stage": report.stage.value,
                "looked_at": list(report.looked_at.items()),
                "skipped": [asdict(skipped) for skipped in report.skipped],
            }
            for report in coverage.stages
        ],
        "scripts": list(coverage.scripts.items()),
        "unjudged_scripts": list(coverage.unjudged_scripts),
    }


def _scores(scores: Mapping[Category, float]) -> Row:
    return {category.value: scores.get(category) for category in CATEGORIES}
