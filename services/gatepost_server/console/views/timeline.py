"""Who did what to a verdict, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gatepost_server.domain.review import Act, ActKind
from gatepost_server.moderate.review import Person
from gatepost_server.records.record import Kept

_STAYS = (ActKind.UNDO, ActKind.APPEAL)


@dataclass(frozen=True, slots=True)
class Event:
    """One act; `undone` where it counts no more, `undoable` where whoever looks may undo it."""

    act: Act
    undone: bool
    undoable: bool


def timeline(kept: Kept, person: Person) -> Sequence[Event]:
    """The oldest first."""
    undone = {act.undoes for act in kept.acts if act.kind is ActKind.UNDO}
    return [
        Event(
            act,
            act.id in undone,
            act.kind not in _STAYS and act.id not in undone and (person.senior or act.actor == person.actor),
        )
        for act in kept.acts
    ]
