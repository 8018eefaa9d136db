"""What people do with verdicts, and what stands in the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from gatepost_server.domain.answer import Ground
from gatepost_server.domain.labels import Category, Decision


class ActKind(StrEnum):
    """One thing that somebody did."""

    ALLOW = "ALLOW"  # may be shown
    BLOCK = "BLOCK"  # must not be shown
    ESCALATE = "ESCALATE"  # somebody with more say decides
    RECATEGORISE = "RECATEGORISE"  # another kind of harm than the models said
    NOTE = "NOTE"
    UNDO = "UNDO"  # an earlier act, as if it had not been
    APPEAL = "APPEAL"  # the person who asked for the image asks again


class QueueKind(StrEnum):
    """Why something waits for people."""

    REVIEW = "REVIEW"
    APPEAL = "APPEAL"
    ESCALATION = "ESCALATION"


OPINIONS = {ActKind.ALLOW: Decision.ALLOW, ActKind.BLOCK: Decision.BLOCK}
_ASIDE = frozenset({ActKind.NOTE, ActKind.RECATEGORISE})  # no decision rests on them


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that somebody did, and when (Unix seconds)."""

    id: int
    kind: ActKind
    actor: str  # the credential's name; "" for the person who asked
    at: float
    category: Category | None = None
    text: str = ""
    undoes: int | None = None
    ground: Ground | None = None  # of a BLOCK
    due_s: float | None = None  # of an APPEAL: how soon it is answered; None: as soon as a REVIEW


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands after all that was done: worked out anew each time, and kept nowhere."""

    decision: Decision | None = None  # of people; None where there is none, or not yet
    decided: float = 0.0  # Unix seconds
    waits: QueueKind | None = None  # for what; None where nothing is left to do
    since: float = 0.0  # when that began, Unix seconds; 0.0: with the verdict itself
    opinions: tuple[Act, ...] = ()  # of this round, at most one of each person
    category: Category | None = None  # as people corrected it
    appeal: Act | None = None  # the last one
    before: Decision | None = None  # what stood when that appeal came, by people; None: the verdict itself
    settled: int = 0  # the last act that decided what was escalated


def standing(acts: Sequence[Act], *, review: bool, needed: int = 1) -> Standing:
    """`acts` in order. `review`: the verdict itself asked for people; `needed`: how many of them must agree.

    People who do not agree, and those who escalate, leave it to one with more say, whose opinion is enough. An appeal
    begins a new round, in which earlier opinions do not count.
    """
    undone = {act.undoes for act in acts if act.kind is ActKind.UNDO}
    now = Standing(waits=QueueKind.REVIEW if review else None)
    for act in acts:
        if act.id not in undone:
            now = _after(now, act, needed)
    return now


def _after(now: Standing, act: Act, needed: int) -> Standing:
    if act.kind is ActKind.RECATEGORISE:
        return replace(now, category=act.category)
    if act.kind is ActKind.APPEAL:
        return replace(
            now, waits=QueueKind.APPEAL, since=act.at, opinions=(), appeal=act, before=now.decision, decision=None
        )
    if now.waits is None:
        return now
    if act.kind is ActKind.ESCALATE:
        return replace(now, waits=QueueKind.ESCALATION, since=act.at)
    if act.kind not in OPINIONS:
        return now
    opinions = (*(each for each in now.opinions if each.actor != act.actor), act)
    if now.waits is not QueueKind.ESCALATION:
        if len({each.kind for each in opinions}) > 1:
            return replace(now, waits=QueueKind.ESCALATION, since=act.at, opinions=opinions)
        if len(opinions) < needed:
            return replace(now, opinions=opinions)
    settled = act.id if now.waits is QueueKind.ESCALATION else now.settled
    return replace(now, decision=OPINIONS[act.kind], decided=act.at, waits=None, opinions=opinions, settled=settled)


class Objection(StrEnum):
    """Why somebody may not do something."""

    CLAIMED = "CLAIMED"  # somebody else is at it
    NOT_WAITING = "NOT_WAITING"  # nothing is left to decide
    ESCALATED = "ESCALATED"  # it takes somebody with more say
    NOT_THEIRS = "NOT_THEIRS"  # to undo: not there, undone already, or another's
    APPEALED = "APPEALED"  # an image is appealed for once


def objection(
    acts: Sequence[Act],
    now: Standing,
    kind: ActKind,
    *,
    actor: str,
    senior: bool,
    claimed_by: str,
    undoes: int | None,
) -> Objection | None:
    """Why `actor` may not do that, or None. `senior` people decide what was escalated, and undo what others did."""
    if kind is ActKind.APPEAL:
        return Objection.APPEALED if now.appeal is not None else None
    if kind in OPINIONS or kind is ActKind.ESCALATE:
        if now.waits is None:
            return Objection.NOT_WAITING
        if claimed_by not in ("", actor):
            return Objection.CLAIMED
        if now.waits is QueueKind.ESCALATION and not senior:
            return Objection.ESCALATED
    if kind is ActKind.UNDO:
        undone = {act.undoes for act in acts if act.kind is ActKind.UNDO}
        theirs = {
            act.id
            for act in acts
            if act.kind not in (ActKind.UNDO, ActKind.APPEAL)
            and act.id not in undone
            # What led to a decision of somebody with more say is theirs: without it another might stand.
            and (senior or (act.actor == actor and (act.id > now.settled or act.kind in _ASIDE)))
        }
        return None if undoes in theirs else Objection.NOT_THEIRS
    return None
