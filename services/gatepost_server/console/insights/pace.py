"""How long somebody has been at it, worked out from what they did: nothing is measured but acts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gatepost_server.domain.review import OPINIONS, Act, ActKind

PAUSE_S = 600.0  # so long without an act, and a new stretch begins
SHIFT_S = 12 * 3_600.0  # acts before that belong to another day's work

_ITEMS = frozenset({*OPINIONS, ActKind.ESCALATE})


@dataclass(frozen=True, slots=True)
class Pace:
    """One person's last SHIFT_S seconds."""

    items: int  # decided or handed on
    stretch_s: float  # since the last pause; 0 in one
    stretch_items: int
    break_due: bool


def pace(acts: Sequence[Act], now: float, *, break_minutes: int) -> Pace:
    """`acts` of one person, in order, within SHIFT_S before `now`. 0 minutes: no break is ever due."""
    began, last = now, now
    for act in reversed(acts):
        if last - act.at > PAUSE_S:
            break
        began = last = act.at
    stretch_s = now - began
    due = break_minutes > 0 and stretch_s >= 60.0 * break_minutes
    return Pace(_items(acts), stretch_s, _items([act for act in acts if act.at >= began]), due)


def _items(acts: Sequence[Act]) -> int:
    """Decisions undone right away were work as well."""
    return sum(act.kind in _ITEMS for act in acts)
