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
conversion: compare doubles with doubles (`0.5`), ints with ints. Types are checked when a policy is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from cel_expr_python import cel

from gatepost_server.domain.decision import ModerationRequest
from gatepost_server.domain.evidence import Evidence, Fused, ImageFacts, Skipped, StageReport, TextLine, View
from gatepost_server.domain.labels import CATEGORIES, Category, Decision, StageName

_NAMES = tuple((category, category.value) for category in CATEGORIES)  # CEL takes plain strings only
_IMAGE_FIELDS = ("width", "height", "frames", "format", "sha256", "pdq", "pdq_quality")
_CLOSED_MAPS: Mapping[str, tuple[str, ...]] = {
    "scores": CATEGORIES,
    "text_scores": CATEGORIES,
    "image_scores": CATEGORIES,
    "image": _IMAGE_FIELDS,
}


class RuleError(ValueError):
    """An expression that is not CEL, names what is not there, confuses types, or does not give a bool."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A compiled rule."""

    name: str
    expression: str
    decision: Decision
    program: cel.Expression
    uses: frozenset[str]  # the variables that it names, or more

    def holds(self, variables: Mapping[str, Any]) -> bool | None:
        """Whether the rule is true of `variables`; None when it cannot be evaluated."""
        try:
            value = self.program.eval(data=variables).value()
        except Exception:  # noqa: BLE001 - whatever goes wrong in a rule must reach the judge as "unknown"
            return None
        return value if isinstance(value, bool) else None


def compile_rule(name: str, expression: str, decision: Decision) -> Rule:
    """Compile, and try the rule on sample evidence. Raises RuleError."""
    program = _compiled(expression)
    # CEL's && and || swallow an error on one side, so that trying alone would miss some misspelt keys.
    for variable, key in _members(expression):
        if key not in _CLOSED_MAPS.get(variable, (key,)):
            raise RuleError(f"{variable} has no {key!r}; it has {', '.join(_CLOSED_MAPS[variable])}")
    for sample in _SAMPLES:
        result = program.eval(data=sample)
        if result.type() == cel.Type.ERROR:
            raise RuleError(f"fails on sample evidence: {result.value()}")
        if result.type() != cel.Type.BOOL:
            raise RuleError(f"gives {result.type().name().lower()}, not bool")
    return Rule(name, expression, decision, program, frozenset(_WORD.findall(expression)) & _VARIABLES.keys())


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the variables are made of."""

    evidence: Evidence
    request: ModerationRequest
    scores: Mapping[Category, float]
    factor: float


def variables_of(
    evidence: Evidence,
    request: ModerationRequest,
    scores: Mapping[Category, float],
    *,
    only: frozenset[str] | None = None,
    factor: float = 1.0,
) -> Mapping[str, Any]:
    """The variables above, or `only` those that are named: making them takes longer than the rules.

    `scores` are those that the policy judges (allow list applied).
    """
    seen = _Seen(evidence, request, scores, factor)
    return {name: variable.of(seen) for name, variable in _VARIABLES.items() if only is None or name in only}


@dataclass(frozen=True, slots=True)
class _Variable:
    """What a rule may name: its type, and how its value is made, of plain dicts, lists, strings and numbers."""

    type: cel.Type
    of: Callable[[_Seen], Any]


def _text_scores(seen: _Seen) -> dict[str, float]:
    scores = (seen.evidence.joined_scores, *(line.scores for line in seen.evidence.lines))
    return {name: max(each.get(category, 0.0) for each in scores) for category, name in _NAMES}


def _image_scores(seen: _Seen) -> dict[str, float]:
    findings = seen.evidence.image_findings
    return {name: findings[category].score if category in findings else 0.0 for category, name in _NAMES}


def _prompt(seen: _Seen) -> dict[str, float]:
    similarity = seen.evidence.prompt_similarity
    return {} if similarity is None else {"similarity": similarity}


def _whole(text: str) -> str:
    """For the CEL library takes a NUL for the end: what follows one would be hidden from every rule."""
    return text.replace("\x00", "\ufffd")


def _line(line: TextLine) -> dict[str, Any]:
    return {
        "text": _whole(line.text),
        "normalized": _whole(line.normalized),
        "language": line.language,
        "confidence": line.confidence,
        "scores": {name: line.scores.get(category, 0.0) for category, name in _NAMES},
        **({} if line.expected is None else {"expected": line.expected}),
    }


def _skipped(seen: _Seen) -> list[dict[str, str]]:
    return [
        {"stage": report.stage.value, "what": skipped.what, "why": skipped.why}
        for report in seen.evidence.reports
        for skipped in report.skipped
    ]


_SCORES = cel.Type.Map(cel.Type.STRING, cel.Type.DOUBLE)
_TEXTS = cel.Type.Map(cel.Type.STRING, cel.Type.STRING)
_MIXED = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
_VARIABLES: Mapping[str, _Variable] = {
    "scores": _Variable(_SCORES, lambda seen: {name: seen.scores.get(category, 0.0) for category, name in _NAMES}),
    "text_scores": _Variable(_SCORES, _text_scores),
    "image_scores": _Variable(_SCORES, _image_scores),
    "off_script": _Variable(cel.Type.DOUBLE, lambda seen: seen.scores.get(Category.OFF_SCRIPT, 0.0)),
    "expected_given": _Variable(cel.Type.BOOL, lambda seen: bool(seen.request.expected_text)),
    "lines": _Variable(cel.Type.List(_MIXED), lambda seen: [_line(line) for line in seen.evidence.lines]),
    "joined_text": _Variable(cel.Type.STRING, lambda seen: _whole(seen.evidence.joined_text)),
    "image": _Variable(_MIXED, lambda seen: {name: getattr(seen.evidence.image, name) for name in _IMAGE_FIELDS}),
    "prompt": _Variable(_SCORES, _prompt),
    "tightening": _Variable(cel.Type.DOUBLE, lambda seen: seen.factor),
    "turn_count": _Variable(cel.Type.INT, lambda seen: max(seen.request.turn_count, len(seen.request.turns))),
    "labels": _Variable(
        _TEXTS, lambda seen: {_whole(key): _whole(value) for key, value in seen.request.labels.items()}
    ),
    "locale": _Variable(cel.Type.STRING, lambda seen: seen.request.locale),
    "skipped": _Variable(cel.Type.List(_TEXTS), _skipped),
}
_ENVIRONMENT = cel.NewEnv(variables={name: variable.type for name, variable in _VARIABLES.items()})

_WORD = re.compile(r"[A-Za-z_]\w*")
_QUOTED = re.compile(r"""//[^\n]*|(?s:(\"{3}|'{3}|"|')(?:\\.|(?!\1).)*\1)""")
_SPACED_DOT = re.compile(r"\s*\.\s*")
_MEMBER = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\.([A-Za-z_]\w*)\b(?!\s*\()")
_UNKNOWN = re.compile(r"undeclared reference to '([^.']*)")
_SAID = re.compile(r"ERROR: <input>:\d+:\d+: (.*)")


def _compiled(expression: str) -> cel.Expression:
    try:
        return _ENVIRONMENT.compile(expression)
    except RuntimeError as error:
        said = str(error)
    if unknown := _UNKNOWN.search(said):
        raise RuleError(f"unknown name {unknown[1]!r}; the variables are {', '.join(sorted(_VARIABLES))}")
    first = _SAID.search(said)
    kind = "not a CEL expression" if "Syntax error" in said else "confuses types"
    raise RuleError(f"{kind}: {first[1] if first else said}")


def _members(expression: str) -> Iterator[tuple[str, str]]:
    """(variable, key) of every `variable.key` outside of texts and comments; calls are none."""
    unquoted = _SPACED_DOT.sub(".", _QUOTED.sub("''", expression))
    return ((found[1], found[2]) for found in _MEMBER.finditer(unquoted))


def _sample(*, full: bool) -> Mapping[str, Any]:
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
