"""People decide: over the real record, with real keys."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from gatepost_client.tickets import Jwks, Refusal, TicketRefused, verify
from gatepost_server.domain.answer import Answer, Ground
from gatepost_server.domain.decision import Verdict
from gatepost_server.domain.errors import ErrorReason, GatepostError
from gatepost_server.domain.labels import Category, Decision
from gatepost_server.domain.review import ActKind, QueueKind
from gatepost_server.domain.ticket import LONGEST_TICKET_S
from gatepost_server.moderate.example import KnownBy
from gatepost_server.moderate.limits import RequestLimits
from gatepost_server.moderate.moderator import Moderator
from gatepost_server.moderate.once import digested
from gatepost_server.moderate.review import MOST_TEXT, Person, Review
from gatepost_server.policy.book import open_book
from gatepost_server.records.entry import entry_of
from gatepost_server.records.record import QueueFilter
from gatepost_server.records.sql_bank import SqlBank
from gatepost_server.records.sql_record import SqlRecord
from gatepost_server.records.store import MemoryVerdictStore
from gatepost_server.scoring.base import Priority
from gatepost_server.tickets.folder import KeyFolder
from gatepost_server.tickets.sign import TicketSigner
from tests.builders import evidence, line, request
from tests.unit.records.test_sqlite_backlog import Clock

LI, WANG = Person("console:li"), Person("console:wang", senior=True)
IMAGE = b"a card"


class Pictures:
    """Keeps everything."""

    async def of(self, verdict: str) -> bytes:
        return IMAGE


@dataclass
class Seen:
    """A scorer that sees the same in every image."""

    script: dict

    async def score(self, request, *, timeout_s: float, priority: Priority):
        seen = evidence(**self.script)
        return replace(seen, image=replace(seen.image, sha256=request.image_sha256))

    async def ready(self) -> bool:
        return True


@dataclass
class Desk:
    """A review over a record, and a way to bring verdicts into it."""

    record: SqlRecord
    bank: SqlBank
    keys: KeyFolder
    clock: Clock
    signer: TicketSigner = field(init=False)
    review: Review = field(init=False)

    def __post_init__(self) -> None:
        self.signer = TicketSigner(self.keys)
        self.review = Review(
            self.record,
            open_book(),
            pictures=Pictures(),
            signer=self.signer,
            bank=self.bank,
            appeal_due_s=60.0,
            clock=self.clock,
        )

    async def verdict(self, script: dict, *, opinions: int = 1, **asked) -> Verdict:
        """What the default policy says of that evidence, written down."""
        store = MemoryVerdictStore(capacity_bytes=1 << 20, ttl_s=60.0)
        moderator = Moderator(Seen(script), open_book(), store, RequestLimits())
        sent = request(image=IMAGE, **asked)
        given = await moderator.moderate(sent, timeout_s=1.0)
        await self.record.add([entry_of(digested(sent), given, keep_image=True, opinions=opinions, due_s=100.0)])
        return given

    def opens(self, ticket: str, image: bytes = IMAGE) -> None:
        verify(image, ticket, Jwks(self.signer.jwks()), audience="greeting-card")


@pytest.fixture
async def desk(tmp_path):
    clock, keys = Clock(), KeyFolder(tmp_path / "keys")
    keys.init()
    record = SqlRecord(f"sqlite:///{tmp_path / 'record.db'}", clock=clock)
    await record.open()
    bank = SqlBank.at(str(tmp_path / "bank.db"))
    yield Desk(record, bank, keys, clock)
    await bank.close()
    await record.close()


async def refusal(call) -> ErrorReason:
    with pytest.raises(GatepostError) as caught:
        await call
    return caught.value.reason


DOUBTFUL = {"scores": {"insult": 0.6}}
BAD = {"scores": {"insult": 0.99}}


async def test_what_a_person_allows_is_released_for_exactly_its_image(desk):
    given = await desk.verdict(DOUBTFUL)
    assert given.judgement.decision is Decision.REVIEW
    item = await desk.review.open(given.name)
    assert (item.image, item.kept.standing.waits) == (IMAGE, QueueKind.REVIEW)
    done = await desk.review.allow(given.name, LI)
    desk.opens(done.ticket)
    with pytest.raises(TicketRefused) as refused:
        desk.opens(done.ticket, b"a cart")
    assert refused.value.reason is Refusal.IMAGE
    told = desk.review.after(done.kept)
    assert (told.name, told.judgement.decision, told.judgement.reasons) == (given.name, Decision.ALLOW, ())
    assert told.people == Answer(waiting=False, decision=Decision.ALLOW, decided=desk.clock())
    desk.opens(told.ticket)


async def test_what_nobody_decided_yet_is_as_the_models_had_it_without_a_ticket(desk):
    given = await desk.verdict(DOUBTFUL)
    told = desk.review.after(await desk.review.find(given.name))
    assert (told.judgement, told.ticket, told.people) == (given.judgement, "", Answer(waiting=True))


async def test_an_image_that_cannot_be_released_is_not_allowed(desk, tmp_path):
    given = await desk.verdict(DOUBTFUL)
    for file in (tmp_path / "keys").iterdir():
        file.unlink()
    assert await refusal(desk.review.allow(given.name, LI)) is ErrorReason.TICKETS_UNAVAILABLE
    assert (await desk.review.find(given.name)).standing.decision is None


async def test_where_two_must_agree_the_first_yes_releases_nothing(desk):
    given = await desk.verdict(DOUBTFUL, opinions=2)
    first = await desk.review.allow(given.name, LI)
    assert (first.ticket, desk.review.after(first.kept).judgement.decision) == ("", Decision.REVIEW)
    second = await desk.review.allow(given.name, WANG)
    desk.opens(second.ticket)


async def test_a_decision_is_released_no_longer_than_a_ticket_may_live(desk):
    given = await desk.verdict(DOUBTFUL)
    kept = (await desk.review.allow(given.name, LI)).kept
    desk.clock.now += LONGEST_TICKET_S + 1.0
    assert desk.review.after(kept).ticket == ""


async def test_what_is_undone_waits_again(desk):
    given = await desk.verdict(DOUBTFUL)
    kept = (await desk.review.allow(given.name, LI)).kept
    undone = (await desk.review.undo(given.name, LI, kept.acts[-1].id)).kept
    told = desk.review.after(undone)
    assert (told.judgement.decision, told.ticket) == (Decision.REVIEW, "")
    assert (await desk.review.queue(QueueFilter(), most=5))[0][0].verdict == given.name


async def test_an_appeal_joins_the_queue_with_a_clock_of_its_own_and_keeps_it_when_it_is_escalated(desk):
    given = await desk.verdict(BAD)
    kept = await desk.review.appeal(given.name, "请再看看", tenant=given.tenant)
    assert desk.review.after(kept).judgement.decision is Decision.BLOCK
    assert desk.review.after(kept).people == Answer(waiting=True, appealed=True)
    (item,), _ = await desk.review.queue(QueueFilter(kind=QueueKind.APPEAL), most=5)
    assert (item.verdict, item.due) == (given.name, desk.clock() + 60.0)
    desk.clock.now += 10.0
    await desk.review.escalate(given.name, LI)
    (item,), _ = await desk.review.queue(QueueFilter(), most=5)
    assert (item.kind, item.due) == (QueueKind.ESCALATION, desk.clock() + 60.0)


async def test_an_appeal_that_was_right_says_that_the_mistake_was_ours(desk):
    given = await desk.verdict(BAD, locale="zh-CN")
    await desk.review.appeal(given.name, "")
    told = desk.review.after((await desk.review.allow(given.name, LI)).kept)
    assert (told.judgement.decision, told.people.granted) == (Decision.ALLOW, True)
    assert "是我们的失误" in told.judgement.user_message
    desk.opens(told.ticket)


async def test_an_appeal_in_vain_says_whose_doing_it_was(desk):
    for ground, words in ((Ground.REQUEST, "in other words"), (Ground.PICTURE, "our mistake, not yours")):
        given = await desk.verdict(BAD)
        await desk.review.appeal(given.name, "why?")
        told = desk.review.after((await desk.review.block(given.name, LI, ground=ground)).kept)
        assert (told.judgement.decision, told.people.ground) == (Decision.BLOCK, ground)
        assert words in told.judgement.user_message


@pytest.mark.parametrize(
    ("asked", "ground"),
    [(("新年快乐",), Ground.PICTURE), (("你是蠢猪",), Ground.REQUEST), ((), None)],
)
async def test_the_evidence_tells_what_was_asked_for_from_what_was_not(desk, asked, ground):
    script = {"scores": {"insult": 0.99}, "sources": {"insult": "line:0"}, "lines": [line("你是蠢猪", insult=0.99)]}
    given = await desk.verdict(script, expected_text=asked)
    await desk.review.appeal(given.name, "")
    told = desk.review.after((await desk.review.block(given.name, LI)).kept)
    assert told.people.ground is ground


async def test_who_may_need_help_is_told_where_to_find_it_whatever_people_say(desk):
    given = await desk.verdict({"scores": {"self_harm": 0.6}})
    told = desk.review.after((await desk.review.block(given.name, LI, ground=Ground.REQUEST)).kept)
    assert "helpline" in told.judgement.user_message


async def test_an_appeal_is_made_once_by_its_tenant_against_what_was_stopped(desk):
    given = await desk.verdict(BAD)
    assert await refusal(desk.review.appeal(given.name, "", tenant="other")) is ErrorReason.VERDICT_UNKNOWN
    assert await refusal(desk.review.appeal(given.name, "x" * (MOST_TEXT + 1))) is ErrorReason.TEXT_TOO_LONG
    kept = await desk.review.appeal(given.name, "why?")
    assert await desk.review.appeal(given.name, "why?") == kept
    assert await refusal(desk.review.appeal(given.name, "really?")) is ErrorReason.ALREADY_APPEALED
    fine = await desk.verdict({})
    assert await refusal(desk.review.appeal(fine.name, "")) is ErrorReason.NOTHING_TO_APPEAL


async def test_an_image_that_people_blocked_becomes_a_known_bad_example_with_a_note(desk):
    given = await desk.verdict(DOUBTFUL)
    await desk.review.block(given.name, LI)
    added = await desk.review.add_known_bad(
        given.name, LI, Category.INSULT, known_by=KnownBy.PICTURE, days=2.0, note="again"
    )
    _, (entry,) = await desk.bank.entries()
    assert (entry.id, entry.added_by, entry.expires) == (added.id, "console:li", desk.clock() + 2 * 86_400.0)
    assert entry.sha256 == digested(request(image=IMAGE)).image_sha256
    assert entry.pdq == given.evidence.image.pdq
    act = (await desk.review.find(given.name)).acts[-1]
    assert (act.kind, act.text) == (ActKind.NOTE, f"bank:{added.id} again")


async def test_what_may_be_shown_is_no_known_bad_example(desk):
    given = await desk.verdict(DOUBTFUL)
    await desk.review.allow(given.name, LI)
    assert (
        await refusal(desk.review.add_known_bad(given.name, LI, Category.INSULT, known_by=KnownBy.FILE))
        is ErrorReason.IMAGE_ALLOWED
    )
    off = await desk.verdict(BAD)
    assert (
        await refusal(desk.review.add_known_bad(off.name, LI, Category.OFF_SCRIPT, known_by=KnownBy.FILE))
        is ErrorReason.FIELD_INVALID
    )
    assert (await desk.bank.entries())[1] == []
