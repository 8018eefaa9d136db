"""Another policy tried on what the record holds: the policy's own function over stored evidence (docs/replay.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import yaml

from gatepost_server.domain.labels import Category
from gatepost_server.policy.comparison import Comparison
from gatepost_server.policy.document import PolicyDocument
from gatepost_server.policy.judge import judge_again
from gatepost_server.policy.load import Policy, parse_policy
from gatepost_server.records.insights import Insights, Scope, Stored

_AT_ONCE = 200  # verdicts in memory


class Trials:
    """Runs one at a time, beside the event loop: each keeps a core busy for seconds."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)

    async def run(
        self, insights: Insights, scope: Scope, new: Policy, against: Policy | None, *, most: int
    ) -> Comparison:
        """`new` on `most` verdicts at random. None: against what was decided then.

        Raises GatepostError (STORE_UNAVAILABLE).
        """
        found, left, after = Comparison(), most, ""
        async with self._turn:
            while left > 0:
                some = await insights.stored(scope, most=min(left, _AT_ONCE), after=after)
                await asyncio.to_thread(compare, found, some, new, against)
                if len(some) < min(left, _AT_ONCE):
                    break
                left, after = left - len(some), some[-1].verdict.name
        return found


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
