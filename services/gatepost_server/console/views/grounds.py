"""What each reason of a verdict rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gatepost_server.domain.decision import Reason, ReasonCode, Verdict
from gatepost_server.domain.evidence import Evidence
from gatepost_server.domain.labels import Category, Decision
from gatepost_server.policy.bank import SOURCE as BANK
from gatepost_server.policy.load import Policy

_LINE = "line:"


@dataclass(frozen=True, slots=True)
class Rest:
    """Where in the evidence a score comes from. `line` counts from 1; `text` is what was read there."""

    kind: str  # line, joined, image, text_image, bank, none: a key of the catalogue
    line: int | None = None
    text: str = ""
    entry: str = ""  # of the known-bad bank


@dataclass(frozen=True, slots=True)
class Ground:
    """One reason, and what it rests on."""

    code: ReasonCode
    decision: Decision
    category: Category | None
    score: float | None
    threshold: float | None
    detail: str
    rest: Rest
    rule: str = ""  # the expression of a rule, where the policy still has it


def grounds(verdict: Verdict, policy: Policy | None) -> Sequence[Ground]:
    """In the verdict's order: the gravest first."""
    expressions = {} if policy is None else {rule.name: rule.expression for rule in policy.document.rules}
    return [
        _ground(reason, verdict.evidence, expressions.get(reason.detail, "")) for reason in verdict.judgement.reasons
    ]


def rest_of(source: str, evidence: Evidence | None) -> Rest:
    """What a score's source says."""
    if source.startswith(_LINE) and evidence is not None:
        index = int(source.removeprefix(_LINE))
        if index < len(evidence.lines):
            return Rest("line", index + 1, evidence.lines[index].text)
    if source.startswith(BANK):
        return Rest("bank", entry=source.removeprefix(BANK))
    if source == "joined":
        return Rest("joined", text=evidence.joined_text if evidence is not None else "")
    return Rest({"image": "image", "text+image": "text_image"}.get(source, "none"))


def _ground(reason: Reason, evidence: Evidence | None, rule: str) -> Ground:
    return Ground(
        reason.code,
        reason.decision,
        reason.category,
        reason.score,
        reason.threshold,
        reason.detail,
        rest_of(reason.source, evidence),
        rule if reason.code is ReasonCode.RULE else "",
    )
