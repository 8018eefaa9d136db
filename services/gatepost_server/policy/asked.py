"""What a policy makes of asked-for and drawn text: the one place that says what is off the script.

The text stage tells how like what was asked for each line is by itself. Here all lines and all texts are held against
one another (text.asked), the policy's decoration is let pass, and the score of off_script is that of the worst span:
the spans, the score and the lines of a verdict always say the same.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import replace

from gatepost_server.domain.asked import AskedSpan, AskedText, SpanKind
from gatepost_server.domain.decision import ModerationRequest, Reason, ReasonCode
from gatepost_server.domain.evidence import Evidence, Fused, TextLine
from gatepost_server.domain.labels import Category
from gatepost_server.policy.load import Policy
from gatepost_server.text.asked import held_against
from gatepost_server.text.folded import fold
from gatepost_server.text.quotes import quoted

MISSING = "asked-text-missing"  # the detail of the reason


def with_quoted(request: ModerationRequest, policy: Policy) -> ModerationRequest:
    """The request with what its prompt quotes among the expected texts, where the policy counts that as asked for."""
    if not policy.document.asked_text.quoted_in_prompt:
        return request
    texts = dict.fromkeys((*request.expected_text, *quoted(request.prompt)))
    return replace(request, expected_text=tuple(texts))


def unquoted(evidence: Evidence, sent: ModerationRequest, asked: ModerationRequest) -> Evidence:
    """Evidence that may have been scored for another policy, which counted what the prompt quotes as asked for.

    Where nothing is `asked` now (with_quoted of what was `sent`), nothing that was drawn is off the script.
    """
    if asked.expected_text or not quoted(sent.prompt):
        return evidence
    lines = tuple(replace(line, expected=None) for line in evidence.lines)
    old = evidence.fused.get(Category.OFF_SCRIPT)
    known = old is not None and math.isfinite(old.score)  # what fusion did not say, coverage must see
    nothing = {Category.OFF_SCRIPT: Fused(0.0, "none")} if known else {}
    return replace(evidence, lines=lines, fused={**evidence.fused, **nothing})


def off_script(evidence: Evidence, request: ModerationRequest, policy: Policy) -> tuple[Evidence, AskedText | None]:
    """Drawn text held against what `request` asked for.

    The evidence comes back with the score of off_script and with how like what was asked for each line is. Both are as
    they were, and there are no spans, where nothing that can be compared was asked for.
    """
    spans = held_against(evidence.lines, request.expected_text)
    if not spans:
        return evidence, None
    asked = AskedText(request.expected_text, tuple(_decorated(spans, policy, policy.allow_list.lines(evidence))))
    fused = evidence.fused.get(Category.OFF_SCRIPT)
    if fused is None or not math.isfinite(fused.score):
        return evidence, asked  # fusion failed, and coverage must see it
    worst = asked.worst
    score = Fused(worst.score, f"line:{worst.lines[0]}") if worst is not None else Fused(0.0, "none")
    lines = tuple(_line(line, index, asked.spans) for index, line in enumerate(evidence.lines))
    return replace(evidence, lines=lines, fused={**evidence.fused, Category.OFF_SCRIPT: score}), asked


def missing_reasons(asked: AskedText | None, policy: Policy) -> Iterator[Reason]:
    """One reason where something is missing and the policy minds."""
    decision = policy.document.asked_text.missing
    if asked is not None and asked.missing and decision is not None:
        yield Reason(ReasonCode.RULE, decision, Category.OFF_SCRIPT, detail=MISSING)


def _decorated(spans: list[AskedSpan], policy: Policy, cleared: Collection[int]) -> Iterator[AskedSpan]:
    for span in spans:
        if span.kind is SpanKind.UNEXPECTED and (
            policy.decorations.hold(span.drawn) or all(line in cleared for line in span.lines)
        ):
            yield replace(span, kind=SpanKind.DECORATIVE, score=0.0)
        else:
            yield span


def _line(line: TextLine, index: int, spans: Collection[AskedSpan]) -> TextLine:
    """With the share of it that was asked for; what is too unsure or too little to be told stays as it was."""
    own = [span for span in spans if index in span.lines]
    if not own:
        return line
    size = max(1, len(fold(line.text).text))
    less = sum(len(fold(span.drawn).text) * (1.0 - span.similarity) for span in own if span.kind is SpanKind.UNEXPECTED)
    return replace(line, expected=max(0.0, 1.0 - less / size))
