"""People's decisions come back over real sockets: appeals, watchers, fresh tickets, and more than one gateway."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import pytest

from gatepost.v1 import moderation_pb2 as wire
from gatepost.v1 import ticket_pb2, verdict_pb2
from gatepost_client.tickets import Jwks, verify
from gatepost_server.domain.errors import ErrorReason, GatepostError
from gatepost_server.gateway.credentials.caller import Role
from gatepost_server.gateway.credentials.token_file import TokenStore
from gatepost_server.moderate.review import Person, Review
from gatepost_server.policy.book import open_book
from gatepost_server.records.sql_record import SqlRecord
from gatepost_server.tickets.folder import KeyFolder
from tests.gateways import Gateway, refused, running_gateway, script

LI = Person("console:li")
REVIEW = script(scores={"insult": 0.6})
BLOCK = script(scores={"insult": 0.99})
WAIT_S = 60.0


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, object]:
    keys = KeyFolder(tmp_path / "keys")
    keys.init()
    return {"record": str(tmp_path / "record.db"), "ticket_keys": tmp_path / "keys", "review_poll_s": 0.05}


@pytest.fixture
async def desk(tmp_path: Path, settings: dict[str, object]):
    """Where people decide: a process of its own would use the record the same way."""
    record = SqlRecord.in_file(tmp_path / "record.db")
    await record.open()
    yield Review(record, open_book())
    await record.close()


async def arrived(call):
    """What the desk says once the verdict has reached the record."""
    async with asyncio.timeout(WAIT_S):
        while True:
            try:
                return await call()
            except GatepostError as error:
                if error.reason is not ErrorReason.VERDICT_UNKNOWN:
                    raise
            await asyncio.sleep(0.02)


async def moderated(gateway: Gateway, image: bytes, **fields) -> verdict_pb2.Verdict:
    return (await gateway.moderation.Moderate(wire.ModerateRequest(image=image, **fields))).verdict


async def appealed(gateway: Gateway, name: str, **fields) -> verdict_pb2.Verdict:
    return (await gateway.moderation.AppealVerdict(wire.AppealVerdictRequest(name=name, **fields))).verdict


def watching(gateway: Gateway, name: str):
    request = wire.WatchVerdictRequest(name=name, until_people_decide=True)
    return gateway.moderation.WatchVerdict(request, timeout=WAIT_S)


async def opens(gateway: Gateway, ticket: str, image: bytes) -> None:
    keys = await gateway.ticket_keys.ListTicketKeys(ticket_pb2.ListTicketKeysRequest())
    verify(image, ticket, Jwks(keys.jwks), audience="greeting-card")


async def test_who_watches_a_review_hears_that_a_person_allowed_it_with_a_fresh_ticket(settings, desk):
    async with running_gateway(**settings) as gateway:
        given = await moderated(gateway, REVIEW)
        watch = aiter(watching(gateway, given.name))
        first = (await anext(watch)).verdict
        assert (first.decision, first.pending) == (verdict_pb2.DECISION_REVIEW, False)
        await arrived(lambda: desk.allow(given.name, LI))
        told = [answer.verdict async for answer in watch]
        assert [verdict.decision for verdict in told] == [verdict_pb2.DECISION_ALLOW]
        assert (told[0].people.decision, told[0].people.waiting) == (verdict_pb2.DECISION_ALLOW, False)
        assert "li" not in str(told[0].people)
        await opens(gateway, told[0].ticket, REVIEW)
        found = (await gateway.moderation.GetVerdict(wire.GetVerdictRequest(name=given.name))).verdict
        await opens(gateway, found.ticket, REVIEW)


async def test_a_watch_that_does_not_ask_for_people_ends_as_before(settings):
    async with running_gateway(**settings) as gateway:
        given = await moderated(gateway, REVIEW)
        call = gateway.moderation.WatchVerdict(wire.WatchVerdictRequest(name=given.name), timeout=WAIT_S)
        assert [answer.verdict.decision async for answer in call] == [verdict_pb2.DECISION_REVIEW]


async def test_nobody_waits_for_people_who_have_no_part_in_it(settings):
    async with running_gateway(**settings) as gateway:
        for image in (BLOCK, script()):
            given = await moderated(gateway, image)
            assert [answer.verdict.name async for answer in watching(gateway, given.name)] == [given.name]


async def test_an_appeal_is_answered_through_the_watch_of_another_gateway(settings, desk, tmp_path):
    other = settings | {"record_handover": tmp_path / "other.db"}
    async with running_gateway(**settings) as one, running_gateway(**other) as two:
        given = await moderated(one, BLOCK, locale="zh-CN")
        stands = await appealed(one, given.name, message="请再看看")
        assert (stands.decision, stands.people.waiting, stands.people.appealed) == (
            verdict_pb2.DECISION_BLOCK,
            True,
            True,
        )
        watch = aiter(watching(two, given.name))
        assert (await anext(watch)).verdict.decision == verdict_pb2.DECISION_BLOCK
        await desk.allow(given.name, LI)
        (told,) = [answer.verdict async for answer in watch]
        assert (told.decision, told.people.appeal_granted) == (verdict_pb2.DECISION_ALLOW, True)
        assert told.user_message.locale == "zh"
        assert "是我们的失误" in told.user_message.text
        await opens(two, told.ticket, BLOCK)


async def test_an_appeal_speaks_the_language_that_it_asks_for(settings):
    async with running_gateway(**settings) as gateway:
        given = await moderated(gateway, BLOCK)
        stands = await appealed(gateway, given.name, locale="zh-CN")
        assert stands.user_message.locale == "zh"
        again = await refused(appealed(gateway, given.name, message="还有一件事", locale="zh-CN"))
        assert (again.code, again.info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "ALREADY_APPEALED")
        assert "已收到" in again.localized.message


async def test_what_cannot_be_appealed_is_refused_and_said(settings):
    async with running_gateway(**settings) as gateway:
        fine = await moderated(gateway, script())
        stopped = await moderated(gateway, BLOCK)
        for fields, code, reason in (
            ({"name": "verdicts/none"}, grpc.StatusCode.NOT_FOUND, "VERDICT_UNKNOWN"),
            ({"name": fine.name}, grpc.StatusCode.FAILED_PRECONDITION, "NOTHING_TO_APPEAL"),
            ({"name": stopped.name, "message": "x" * 2_001}, grpc.StatusCode.INVALID_ARGUMENT, "TEXT_TOO_LONG"),
            ({"name": stopped.name, "locale": "not a tag"}, grpc.StatusCode.INVALID_ARGUMENT, "LOCALE_UNKNOWN"),
        ):
            refusal = await refused(appealed(gateway, **fields))
            assert (refusal.code, refusal.info.reason) == (code, reason)
    async with running_gateway() as gateway:
        given = await moderated(gateway, BLOCK)
        assert (await refused(appealed(gateway, given.name))).info.reason == "RECORD_OFF"


async def test_watchers_of_people_take_no_place_of_those_that_wait_for_models(settings):
    async with running_gateway(**settings, max_watches=1, max_review_watches=1) as gateway:
        given = await moderated(gateway, REVIEW)
        first = watching(gateway, given.name)
        await first.read()
        assert (await refused(watching(gateway, given.name).read())).info.reason == "OVERLOADED"
        plain = gateway.moderation.WatchVerdict(wire.WatchVerdictRequest(name=given.name), timeout=WAIT_S)
        assert len([answer async for answer in plain]) == 1


async def test_a_gateway_that_drains_sends_those_who_wait_for_people_elsewhere(settings):
    async with running_gateway(**settings) as gateway:
        given = await moderated(gateway, REVIEW)
        watch = watching(gateway, given.name)
        await watch.read()
        gateway.stop.set()
        assert (await refused(watch.read())).info.reason == "DRAINING"


async def test_another_tenants_verdict_cannot_be_appealed_nor_without_the_role(settings, tmp_path):
    store = TokenStore(tmp_path / "credentials.json")
    cards, reader = (store.new("cards", roles)[0] for roles in ((Role.MODERATE, Role.READ), (Role.READ,)))
    posters = store.new("posters", (Role.MODERATE, Role.READ))[0]
    async with running_gateway(**settings, credentials=tmp_path / "credentials.json") as gateway:

        def appeal(token: str, name: str):
            request = wire.AppealVerdictRequest(name=name)
            return gateway.moderation.AppealVerdict(request, metadata=(("authorization", f"Bearer {token}"),))

        sent = gateway.moderation.Moderate(
            wire.ModerateRequest(image=BLOCK), metadata=(("authorization", f"Bearer {cards}"),)
        )
        name = (await sent).verdict.name
        assert (await refused(appeal(posters, name))).info.reason == "VERDICT_UNKNOWN"
        assert (await refused(appeal(reader, name))).info.reason == "ROLE_MISSING"
        assert (await appeal(cards, name)).verdict.people.appealed
