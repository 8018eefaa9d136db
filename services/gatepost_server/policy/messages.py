"""Which message a person gets, in which language."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import langcodes

from gatepost_server.domain.decision import Reason
from gatepost_server.domain.labels import Decision
from gatepost_server.policy.document import FALLBACK_LOCALE, Message, PolicyDocument

# CLDR distance: 25 still takes Cantonese to written Chinese and never one language to a foreign one.
_MAX_DISTANCE = 25


def user_message(
    document: PolicyDocument, locale: str, decision: Decision, reasons: Sequence[Reason]
) -> tuple[str, str]:
    """(locale, text); the text is empty for ALLOW. The gravest reason's category picks the wording."""
    chosen = closest_locale(locale, tuple(document.messages))
    if decision is Decision.ALLOW:
        return chosen, ""
    message: Message = getattr(document.messages[chosen], decision.lower())
    category = next((reason.category for reason in reasons if reason.category is not None), None)
    return chosen, message.default if category is None else message.by_category.get(category, message.default)


@lru_cache(maxsize=4_096)
def closest_locale(wanted: str, offered: tuple[str, ...]) -> str:
    """The offered tag that a reader of `wanted` understands best; English where there is none.

    The language in another script is better than none. Raises ValueError for what is not a language tag.
    """
    match, distance = langcodes.closest_match(wanted or FALLBACK_LOCALE, offered, max_distance=_MAX_DISTANCE)
    if distance <= _MAX_DISTANCE:
        return match
    language = langcodes.get(wanted).language
    return next((tag for tag in offered if langcodes.get(tag).language == language), FALLBACK_LOCALE)
