"""Another policy tried on what the record holds: the policy's own function over stored evidence (docs/replay.md)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import yaml

from gatepost_server.domain.labels import Category
from gatepost_server.policy.comparison import Comparison
from gatepost_server.policy.document import PolicyDocument
from gatepost_server.policy.judge import judge_again
from gatepost_server.policy.load import Policy, PolicyError, parse_policy
from gatepost_server.records.insights import Insights, Scope, Stored

_AT_ONCE = 200  # verdicts in memory
_LONGEST_S = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial found."""

    found: Comparison
    stopped: bool  # it took too long, and fewer were judged


class Trials:
    """Runs one at a time, beside the event loop: each keeps a core busy for seconds."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._turn = asyncio.Semaphore(1)
        self._clock = clock

    async def run(self, insights: Insights, scope: Scope, new: Policy, against: Policy | None, *, most: int) -> Outcome:
        """`new` on `most` verdicts at random, for a minute at most. None: against what was decided then.

        Raises GatepostError (STORE_UNAVAILABLE).
        """
        found, left, after = Comparison(), most, ""
        async with self._turn:
            begun = self._clock()
            while left > 0:
                if self._clock() > begun + _LONGEST_S:
                    return Outcome(found, stopped=True)
                some = await insights.stored(scope, most=min(left, _AT_ONCE), after=after)
                await asyncio.to_thread(compare, found, some, new, against)
                if len(some) < min(left, _AT_ONCE):
                    break
                left, after = left - len(some), some[-1].verdict.name
        return Outcome(found, stopped=False)


def compare(found: Comparison, stored: Sequence[Stored], new: Policy, against: Policy | None) -> None:
    """Count these, too."""
    for each in stored:
        verdict, evidence = each.verdict, each.verdict.evidence
        if evidence is None:
            found.without_evidence += 1
            continue
        before = verdict.judgement if against is None else judge_again(evidence, each.request, against)
        after = judge_again(evidence, each.request, new)
        found.count(before, after, name=verdict.name, tenant=verdict.tenant)


def parsed(text: str, base: Policy) -> Policy:
    """A policy from a form. Raises PolicyError."""
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            # A few lines of them stand for gigabytes.
            raise PolicyError(f"{base.name}: aliases (*name) are not taken here")
    except yaml.YAMLError as error:
        raise PolicyError(f"{base.name}: not YAML: {error}") from error
    return parse_policy(text.encode(), source=base.name)


def as_yaml(document: PolicyDocument) -> str:
    """What somebody may change: what the file said, without its comments."""
    content = document.model_dump(mode="json", exclude_unset=True)
    text: str = yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=100)
    return text


def with_thresholds(policy: Policy, said: Mapping[Category, tuple[str, str]]) -> Policy:
    """The policy with other thresholds, as they were typed: for review and for block, "" for none.

    Raises PolicyError.
    """
    thresholds = {
        category.value: {"review": _number(review), "block": _number(block)}
        for category, (review, block) in said.items()
    }
    content = policy.document.model_dump(mode="json", exclude_unset=True) | {"thresholds": thresholds}
    return parse_policy(yaml.safe_dump(content).encode(), source=policy.name)


def _number(said: str) -> float | str | None:
    """What is no number is left to the policy's own check, which says so."""
    text = said.strip()
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        return text
