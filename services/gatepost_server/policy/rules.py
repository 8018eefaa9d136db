"""Rules in CEL (https://cel.dev) over evidence, for what no single threshold can say.

Variables of an expression, all of them always present:

| variable | type | meaning |
|---|---|---|
| `scores` | map(category, double) | after fusion of text and picture |
| `text_scores` | map(category, double) | the worst of the lines and of the lines read together |
| `image_scores` | map(category, double) | of the picture alone |
| `off_script` | double | how surely a text was drawn that nobody asked for: `scores.off_script` |
| `expected_given` | bool | whether the request said which texts were to be drawn |
| `lines` | list of maps | `text`, `normalized`, `language`, `confidence`, `scores`, `expected` if texts were given |
| `joined_text` | string | the lines in reading order |
| `image` | map | `width`, `height`, `frames`, `format`, `sha256`, `pdq`, `pdq_quality` |
| `prompt` | map | `similarity`, cosine of picture and prompt, if there was a prompt |
| `tightening` | double | what the conversation multiplies thresholds by, 1.0 where it changes nothing |
| `turn_count` | int | turns of the conversation; 0 when unknown |
| `labels` | map(string, string) | the caller's labels |
| `locale` | string | the request's locale |
| `skipped` | list of maps | `stage`, `what`, `why`: what was not looked at |

What may be missing is asked for first: `has(prompt.similarity) && prompt.similarity < 0.1`. CEL has no implicit
conversion: compare doubles with doubles (`0.5`), ints with ints.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import celpy
from celpy.adapter import json_to_cel
from celpy.celparser import CELParseError
from celpy.celtypes import BoolType
from celpy.evaluation import CELEvalError, Context

from gatepost_server.domain.decision import ModerationRequest
from gatepost_server.domain.evidence import Evidence, Fused, ImageFacts, Skipped, StageReport, TextLine, View
from gatepost_server.domain.labels import CATEGORIES, Category, Decision, StageName

_MACROS_WITH_VARIABLE = frozenset({"all", "exists", "exists_one", "filter", "map"})
_IMAGE_FIELDS = ("width", "height", "frames", "format", "sha256", "pdq", "pdq_quality")
_CLOSED_MAPS: Mapping[str, tuple[str, ...]] = {
    "scores": CATEGORIES,
    "text_scores": CATEGORIES,
    "image_scores": CATEGORIES,
    "image": _IMAGE_FIELDS,
}
_TYPE_NAMES = frozenset({"null_type", "int", "uint", "double", "bool", "string", "bytes", "list", "map", "type"})


class RuleError(ValueError):
    """An expression that is not CEL, names what is not there, or does not give a bool."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A compiled rule."""

    name: str
    expression: str
    decision: Decision
    program: celpy.Runner
    uses: frozenset[str]  # the variables that it names

    def holds(self, variables: Context) -> bool | None:
        """Whether the rule is true of `variables`; None when it cannot be evaluated."""
        try:
            value = self.program.evaluate(variables)
        except Exception:  # noqa: BLE001 - whatever goes wrong in a rule must reach the judge as "unknown"
            return None
        return bool(value) if isinstance(value, BoolType) else None


def compile_rule(name: str, expression: str, decision: Decision) -> Rule:
    """Compile, and try the rule on sample evidence. Raises RuleError."""
    environment = celpy.Environment()
    try:
        tree = environment.compile(expression)
    except CELParseError as error:
        raise RuleError(f"not a CEL expression:\n{error.args[0]}") from error
    names = frozenset(_free_names(tree)) - _TYPE_NAMES
    unknown = sorted(names - _SAMPLES[0].keys())
    if unknown:
        raise RuleError(f"unknown variable {unknown[0]!r}; there are {', '.join(sorted(_SAMPLES[0]))}")
    # CEL's && and || swallow an error on one side, so that trying alone would miss some misspelt keys.
    for variable, key in _members(tree):
        if key not in _CLOSED_MAPS.get(variable, (key,)):
            raise RuleError(f"{variable} has no {key!r}; it has {', '.join(_CLOSED_MAPS[variable])}")
    program = environment.program(tree)
    for sample in _SAMPLES:
        try:
            value = program.evaluate(sample)
        except CELEvalError as error:
            raise RuleError(f"fails on sample evidence: {error.args[0]}") from error
        if not isinstance(value, BoolType):
            raise RuleError(f"gives {type(value).__name__.removesuffix('Type').lower()}, not bool")
    return Rule(name, expression, decision, program, names)


def variables_of(
    evidence: Evidence,
    request: ModerationRequest,
    scores: Mapping[Category, float],
    *,
    only: frozenset[str] | None = None,
    factor: float = 1.0,
) -> Context:
    """The variables above as CEL values, or `only` those that are named: making them takes longer than the rules.

    `scores` are those that the policy judges (allow list applied).
    """
    text_scores = {
        category: max(
            [evidence.joined_scores.get(category, 0.0), *(line.scores.get(category, 0.0) for line in evidence.lines)]
        )
        for category in CATEGORIES
    }
    image_scores = {
        category: finding.score if (finding := evidence.image_findings.get(category)) else 0.0
        for category in CATEGORIES
    }
    values: dict[str, Any] = {
        "scores": {category: scores.get(category, 0.0) for category in CATEGORIES},
        "text_scores": text_scores,
        "image_scores": image_scores,
        "off_script": scores.get(Category.OFF_SCRIPT, 0.0),
        "expected_given": bool(request.expected_text),
        "lines": [_line(line) for line in evidence.lines],
        "joined_text": evidence.joined_text,
        "image": {name: getattr(evidence.image, name) for name in _IMAGE_FIELDS},
        "prompt": {} if evidence.prompt_similarity is None else {"similarity": evidence.prompt_similarity},
        "tightening": factor,
        "turn_count": max(request.turn_count, len(request.turns)),
        "labels": dict(request.labels),
        "locale": request.locale,
        "skipped": [
            {"stage": report.stage, "what": skipped.what, "why": skipped.why}
            for report in evidence.reports
            for skipped in report.skipped
        ],
    }
    # One level only: celpy looks variables up in a plain dict of CEL values.
    return {name: json_to_cel(_plain(value)) for name, value in values.items() if only is None or name in only}


def _line(line: TextLine) -> dict[str, Any]:
    return {
        "text": line.text,
        "normalized": line.normalized,
        "language": line.language,
        "confidence": line.confidence,
        "scores": {category: line.scores.get(category, 0.0) for category in CATEGORIES},
        **({} if line.expected is None else {"expected": line.expected}),
    }


def _plain(value: Any) -> Any:
    """json_to_cel looks at exact types: enum members must be plain strings first."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


def _free_names(tree: Any, bound: frozenset[str] = frozenset()) -> Iterator[str]:
    """Identifiers that no macro binds."""
    if tree.data == "ident":
        name = str(tree.children[0])
        if name not in bound:
            yield name
        return
    children = [child for child in tree.children if hasattr(child, "data")]
    if tree.data == "member_dot_arg" and str(tree.children[1]) in _MACROS_WITH_VARIABLE:
        receiver, arguments = children
        yield from _free_names(receiver, bound)
        variable = next(_free_names(arguments.children[0]), "")
        for argument in arguments.children[1:]:
            yield from _free_names(argument, bound | {variable})
        return
    for child in children:
        yield from _free_names(child, bound)


def _members(tree: Any) -> Iterator[tuple[str, str]]:
    """(variable, key) of every `variable.key`."""
    for node in tree.iter_subtrees():
        if node.data == "member_dot":
            receiver = node.children[0]
            while len(receiver.children) == 1 and hasattr(receiver.children[0], "data"):
                receiver = receiver.children[0]
            if receiver.data == "ident":
                yield str(receiver.children[0]), str(node.children[1])


def _sample(*, full: bool) -> Context:
    """Evidence of a picture with two lines, and of one with nothing at all, to try rules on."""
    score = 0.6 if full else 0.0
    scores = MappingProxyType(dict.fromkeys(CATEGORIES, score))
    asked = TextLine(((0.0, 0.0),) * 4, 0, "text", "text", "en", 0.9, scores, 0.5)
    unasked = replace(asked, expected=None)
    skipped = (Skipped("frame 1", "looks like frame 0"),) if full else ()
    evidence = Evidence(
        image=ImageFacts("0" * 64, "0" * 64, 100, 640, 480, "PNG", 1, (View(0),)),
        lines=(asked, unasked) if full else (),
        joined_text="text text" if full else "",
        joined_scores=scores,
        image_findings={},
        prompt_similarity=0.2 if full else None,
        embedding=(),
        fused={category: Fused(score, "image") for category in CATEGORIES},
        reports=(StageReport(StageName.DECODE, 0.0, 1.0, skipped=skipped),),
    )
    labels = {"app": "cards"} if full else {}
    request = ModerationRequest("sample", b"", expected_text=("text",) if full else (), labels=labels)
    return variables_of(evidence, request, scores)


_SAMPLES = (_sample(full=True), _sample(full=False))
