"""How the conversation before a picture tightens a policy."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from gatepost_server.domain.decision import ModerationRequest, Tightening
from gatepost_server.policy.document import Conversation, Thresholds
from gatepost_server.policy.load import Policy
from gatepost_server.text.lexicon import Lexicon
from gatepost_server.text.temper import Temper, temper_of

_DIGITS = 6  # a threshold of 0.45 is no 0.45000000000000001


def tightening_of(request: ModerationRequest, rules: Conversation, lexicon: Lexicon | None) -> Tightening | None:
    """What the turns of a conversation do to thresholds under `rules`; None where they do nothing."""
    turns = max(request.turn_count, len(request.turns))
    temper = Temper()
    if rules.frustration is not None or rules.abuse is not None:
        temper = temper_of([turn.text for turn in request.turns if turn.role == "user"], lexicon)
    found = dict(_found(turns, temper, rules))
    factor = math.prod(found.values())
    return Tightening(round(factor, _DIGITS), tuple(found)) if factor < 1.0 else None


def tightened(policy: Policy, tightening: Tightening | None) -> Policy:
    """The policy with every threshold multiplied by the factor; its name and version stay."""
    if tightening is None:
        return policy
    thresholds = {
        category: Thresholds.model_construct(
            review=round(each.review * tightening.factor, _DIGITS),
            block=None if each.block is None else round(each.block * tightening.factor, _DIGITS),
        )
        for category, each in policy.document.thresholds.items()
    }
    return replace(
        policy, document=policy.document.model_copy(update={"thresholds": thresholds}), factor=tightening.factor
    )


def _found(turns: int, temper: Temper, rules: Conversation) -> Iterator[tuple[str, float]]:
    if rules.long is not None and turns >= rules.long.turns:
        yield "turns", rules.long.factor
    if rules.frustration is not None and temper.frustration:
        yield "frustration", rules.frustration
    if rules.abuse is not None and temper.abuse:
        yield "abuse", rules.abuse
