"""The use case of people: look at what waits, decide, and what is told of it. Gateway and console call it alike."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from gatepost_server.domain.answer import Ground
from gatepost_server.domain.decision import Verdict
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError, invalid
from gatepost_server.domain.known_bad import KnownBad
from gatepost_server.domain.labels import Category, Decision
from gatepost_server.domain.review import ActKind, Objection, QueueKind
from gatepost_server.domain.ticket import LONGEST_TICKET_S
from gatepost_server.domain.unique import unique
from gatepost_server.moderate.answers import answered
from gatepost_server.moderate.example import KnownBy, example_of
from gatepost_server.moderate.limits import check_text
from gatepost_server.moderate.release import release
from gatepost_server.policy.book import PolicyBook
from gatepost_server.records.bank import BankStore
from gatepost_server.records.objections import refused, unknown
from gatepost_server.records.record import Kept, NewAct, QueueFilter, QueueItem, Record
from gatepost_server.tickets.sign import TicketSigner

MOST_TEXT = 2_000  # characters of a note or an appeal
STOPPED = frozenset({Decision.REVIEW, Decision.BLOCK})  # people have no part in anything else

_log = structlog.get_logger("gatepost.review")


class Pictures(Protocol):
    """The kept images of verdicts, unsealed."""

    async def of(self, verdict: str) -> bytes | None:
        """None where it was not kept, or no key opens it. Raises GatepostError (STORE_UNAVAILABLE)."""
        ...


@dataclass(frozen=True, slots=True)
class Person:
    """Who does something. `senior` people decide what was escalated, and undo what others did."""

    actor: str  # as the record calls them
    senior: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """A verdict with all that a person decides it by."""

    kept: Kept
    image: bytes | None  # as it was sent; None where it was not kept


@dataclass(frozen=True, slots=True)
class Done:
    """What stands after an act."""

    kept: Kept
    ticket: str = ""  # of an image that may be shown now; "" where tickets are not signed


class Review:
    """For one event loop. Methods raise GatepostError: as Record, and STORE_UNAVAILABLE of images and bank."""

    def __init__(
        self,
        record: Record,
        policies: PolicyBook,
        *,
        pictures: Pictures | None = None,
        signer: TicketSigner | None = None,
        bank: BankStore | None = None,
        lease_s: float = 900.0,
        appeal_due_s: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Without `signer` an ALLOW has no ticket; without `bank` nothing is added to it.

        `lease_s`: how long a claim holds. `appeal_due_s`: how soon somebody answers an appeal; None: as soon as a
        REVIEW.
        """
        self._record = record
        self._policies = policies
        self._pictures = pictures
        self._signer = signer
        self._bank = bank
        self._lease_s = lease_s
        self._appeal_due_s = appeal_due_s
        self._clock = clock

    async def queue(self, wanted: QueueFilter, *, most: int, after: str = "") -> tuple[Sequence[QueueItem], str]:
        """As Record.queue."""
        return await self._record.queue(wanted, most=most, after=after)

    async def find(self, name: str, *, tenant: str | None = None) -> Kept:
        """A final verdict. With `tenant`, another's is as if it were not there. Raises GatepostError (NOT_FOUND)."""
        kept = await self._record.find(name)
        if kept is None or kept.verdict.pending or (tenant is not None and kept.verdict.tenant != tenant):
            raise unknown()
        return kept

    async def open(self, name: str) -> Item:
        """Everything of it, its image too. Its timeline is `kept.acts`. Raises GatepostError (NOT_FOUND)."""
        kept = await self.find(name)
        return Item(kept, await self.image(kept))

    async def image(self, kept: Kept) -> bytes | None:
        """As it was sent; None where it was not kept, or another lies in its place: nobody decides by that."""
        if self._pictures is None or not kept.image_kept:
            return None
        image = await self._pictures.of(kept.verdict.name)
        if image is not None and hashlib.sha256(image).hexdigest() != kept.request.image_sha256:
            _log.error("another_image_kept", verdict=kept.verdict.name)
            return None
        return image

    async def claim(self, name: str, person: Person) -> QueueItem:
        """Theirs until the lease runs out.

        Raises GatepostError as Record.claim, and PERMISSION_DENIED (ESCALATED) for what they may not decide: nobody
        keeps it from those who may.
        """
        if not person.senior and (await self.find(name)).standing.waits is QueueKind.ESCALATION:
            raise refused(Objection.ESCALATED)
        return await self._record.claim(name, person.actor, self._lease_s)

    async def give_back(self, name: str, person: Person) -> None:
        """Nobody's again, if it was theirs."""
        await self._record.give_back(name, person.actor)

    async def allow(self, name: str, person: Person, *, text: str = "") -> Done:
        """May be shown. The ticket is there once enough people said so (`Kept.opinions`).

        Raises GatepostError also as `ticket`: what could not be released is not allowed.
        """
        ticket = self.ticket(await self.find(name))
        kept = await self._act(name, person, ActKind.ALLOW, text=text)
        return Done(kept, ticket if kept.standing.decision is Decision.ALLOW else "")

    async def block(self, name: str, person: Person, *, ground: Ground | None = None, text: str = "") -> Done:
        """Must not be shown. `ground` is told to the person who asked; None: as the evidence has it."""
        return Done(await self._act(name, person, ActKind.BLOCK, text=text, ground=ground))

    async def escalate(self, name: str, person: Person, *, text: str = "") -> Done:
        """Somebody with more say decides."""
        return Done(await self._act(name, person, ActKind.ESCALATE, text=text))

    async def recategorise(self, name: str, person: Person, category: Category, *, text: str = "") -> Done:
        """It is another kind of harm than the models said."""
        return Done(await self._act(name, person, ActKind.RECATEGORISE, category=category, text=text))

    async def note(self, name: str, person: Person, text: str) -> Done:
        """For those who look at it later. Raises GatepostError (INVALID_ARGUMENT) also where there is no text."""
        if not text.strip():
            raise invalid(ErrorReason.FIELD_INVALID, "a note without text", field="text")
        return Done(await self._act(name, person, ActKind.NOTE, text=text))

    async def undo(self, name: str, person: Person, act: int) -> Done:
        """As if that act had not been. A ticket that was given is good until it expires."""
        return Done(await self._act(name, person, ActKind.UNDO, undoes=act))

    async def add_known_bad(
        self,
        name: str,
        person: Person,
        category: Category,
        *,
        known_by: KnownBy,
        line: int | None = None,
        days: float | None = None,
        note: str = "",
    ) -> KnownBad:
        """Let gateways stop what is like this image, for `days` or for ever; a note of it stands on the timeline.

        `known_by` and `line` as example_of.

        Raises GatepostError: FAILED_PRECONDITION (IMAGE_ALLOWED) for what people allowed, (BANK_OFF) where there is
        no bank; INVALID_ARGUMENT as example_of.
        """
        if self._bank is None:
            raise GatepostError(ErrorCode.FAILED_PRECONDITION, ErrorReason.BANK_OFF, "there is no known-bad bank")
        check_text(note, MOST_TEXT, "note")
        kept = await self.find(name)
        if (kept.standing.decision or kept.verdict.judgement.decision) is Decision.ALLOW:
            raise GatepostError(
                ErrorCode.FAILED_PRECONDITION, ErrorReason.IMAGE_ALLOWED, "it may be shown: undo or block that first"
            )
        example = example_of(
            kept,
            unique().hex[:12],
            category,
            added=self._clock(),
            by=person.actor,
            known_by=known_by,
            line=line,
            days=days,
            note=note or name,
        )
        # First, for a note of what did not happen would be worse than none of what did: the bank has its own audit.
        await self._bank.add(example)
        await self._act(name, person, ActKind.NOTE, text=f"bank:{example.id} {note}".strip())
        return example

    async def appeal(self, name: str, text: str, *, tenant: str | None = None) -> Kept:
        """The person who asked for the image asks again; it joins the queue with a clock of its own.

        The same words again change nothing: a caller who heard no answer may ask once more.

        Raises GatepostError: NOT_FOUND, also for another tenant's; FAILED_PRECONDITION (ALREADY_APPEALED; or
        NOTHING_TO_APPEAL: it may be shown, or nobody has judged it yet); INVALID_ARGUMENT.
        """
        check_text(text, MOST_TEXT, "message")
        kept = await self.find(name, tenant=tenant)
        if kept.standing.appeal is not None and kept.standing.appeal.text == text:
            return kept
        if kept.standing.appeal is None and (kept.standing.decision or kept.verdict.judgement.decision) not in STOPPED:
            raise nothing_to_appeal()
        return await self._record.act(name, NewAct(ActKind.APPEAL, "", text=text, due_s=self._appeal_due_s))

    def after(self, kept: Kept, *, locale: str | None = None) -> Verdict:
        """The verdict as its caller is told of it now: people's decision in the place of the models', with a fresh
        ticket, and words for the person who asked (in `locale`; None: the request's). What people had no part in is as
        it was.

        A decision is released with fresh tickets for as long as a ticket may live, and while its policy is there; after
        that the image is moderated anew. Raises GatepostError as `ticket`.
        """
        document = next((each.document for each in self._policies if each.name == kept.verdict.judgement.policy), None)
        told = answered(kept, document, locale=locale or kept.request.locale)
        if told.people is None or told.judgement.decision is not Decision.ALLOW or document is None:
            return told
        if self._clock() > told.people.decided + LONGEST_TICKET_S:
            return told
        return replace(told, ticket=self.ticket(kept))

    def ticket(self, kept: Kept) -> str:
        """A release ticket of that image, whatever stands; "" where tickets are not signed.

        Raises GatepostError: UNAVAILABLE (TICKETS_UNAVAILABLE); FAILED_PRECONDITION (NOT_TO_RELEASE) where the policy
        is gone, or nothing was seen of the image.
        """
        verdict = kept.verdict
        policy = next((each for each in self._policies if each.name == verdict.judgement.policy), None)
        if policy is None or verdict.evidence is None:
            raise GatepostError(
                ErrorCode.FAILED_PRECONDITION, ErrorReason.NOT_TO_RELEASE, "its policy is gone, or it was never seen"
            )
        allowed = replace(verdict.judgement, decision=Decision.ALLOW)
        return release(verdict.name, kept.request, verdict.evidence, allowed, policy.ticket_terms, self._signer)

    async def _act(
        self,
        name: str,
        person: Person,
        kind: ActKind,
        *,
        text: str = "",
        category: Category | None = None,
        undoes: int | None = None,
        ground: Ground | None = None,
    ) -> Kept:
        check_text(text, MOST_TEXT, "text")
        act = NewAct(kind, person.actor, category, text, undoes, senior=person.senior, ground=ground)
        return await self._record.act(name, act)


def nothing_to_appeal() -> GatepostError:
    """Nobody decided against the image."""
    return GatepostError(
        ErrorCode.FAILED_PRECONDITION, ErrorReason.NOTHING_TO_APPEAL, "the image was not stopped by a judgement"
    )
