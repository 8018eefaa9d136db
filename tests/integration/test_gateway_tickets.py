"""A real gateway over a scorer without weights: tickets on the wire, keys over gRPC and HTTP."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gatepost.v1 import moderation_pb2 as wire
from gatepost.v1 import ticket_pb2, verdict_pb2
from gatepost_client.tickets import Jwks, JwksUrl, Refusal, TicketRefused, verify
from gatepost_server.gateway.server import ListenError
from gatepost_server.scoring.fake import FakeScorer
from gatepost_server.tickets.folder import KeyFolder
from tests.gateways import refused, running_gateway, script

pytestmark = pytest.mark.integration


@pytest.fixture
def folder(tmp_path) -> KeyFolder:
    made = KeyFolder(tmp_path / "keys")
    made.init()
    return made


def signing(folder: KeyFolder, **settings):
    return running_gateway(ticket_keys=folder.folder, http_listen="127.0.0.1:0", **settings)


async def jwks(gateway) -> Jwks:
    return Jwks((await gateway.ticket_keys.ListTicketKeys(ticket_pb2.ListTicketKeysRequest())).jwks)


async def moderate(gateway, image: bytes = b"a card", **fields) -> verdict_pb2.Verdict:
    return (await gateway.moderation.Moderate(wire.ModerateRequest(image=image, **fields))).verdict


async def get(gateway, path: str) -> tuple[int, dict[str, str], bytes]:
    def fetch() -> tuple[int, dict[str, str], bytes]:
        try:
            with urllib.request.urlopen(f"http://{gateway.http}{path}", timeout=5) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, dict(error.headers), error.read()

    return await asyncio.to_thread(fetch)


async def test_an_allow_carries_a_ticket_that_the_published_keys_confirm(folder):
    async with signing(folder) as gateway:
        verdict = await moderate(gateway)
        found = verify(b"a card", verdict.ticket, await jwks(gateway), audience="greeting-card")
        assert found.verdict == verdict.name
        over_http = JwksUrl(f"http://{gateway.http}/.well-known/jwks.json")
        assert await asyncio.to_thread(verify, b"a card", verdict.ticket, over_http, audience="greeting-card") == found
        again = await gateway.moderation.GetVerdict(wire.GetVerdictRequest(name=verdict.name))
        assert again.verdict.ticket == verdict.ticket


async def test_a_block_carries_none(folder):
    async with signing(folder) as gateway:
        verdict = await moderate(gateway, script(scores={"insult": 0.99}))
        assert (verdict.decision, verdict.ticket) == (verdict_pb2.DECISION_BLOCK, "")


async def test_keys_rotate_and_are_revoked_while_it_runs(folder):
    async with signing(folder) as gateway:
        before = (await moderate(gateway)).ticket
        folder.rotate(lead_s=0)
        after = (await moderate(gateway)).ticket
        both = await jwks(gateway)
        first = verify(b"a card", before, both, audience="greeting-card")
        assert verify(b"a card", after, both, audience="greeting-card").key_id != first.key_id
        folder.revoke(first.key_id)
        with pytest.raises(TicketRefused) as gone:
            verify(b"a card", before, await jwks(gateway), audience="greeting-card")
        assert gone.value.reason is Refusal.KEY


async def test_without_a_readable_ring_an_allow_is_held_and_comes_with_its_ticket_later(folder, tmp_path):
    ring = folder.folder / "ring.json"
    async with signing(folder, backlog=str(tmp_path / "backlog.db")) as gateway:
        good = ring.read_bytes()
        ring.write_bytes(b"{")
        held = await moderate(gateway)
        assert (held.decision, held.pending, held.ticket) == (verdict_pb2.DECISION_HOLD, True, "")
        assert (await get(gateway, "/.well-known/jwks.json"))[0] == 503
        ring.write_bytes(good)
        watched = [
            answer.verdict
            async for answer in gateway.moderation.WatchVerdict(wire.WatchVerdictRequest(name=held.name), timeout=20)
        ]
        assert watched[-1].decision == verdict_pb2.DECISION_ALLOW
        assert verify(b"a card", watched[-1].ticket, await jwks(gateway), audience="greeting-card").verdict == held.name


async def test_without_a_backlog_it_is_an_error(folder):
    async with signing(folder) as gateway:
        (folder.folder / "ring.json").unlink()
        refusal = await refused(gateway.moderation.Moderate(wire.ModerateRequest(image=b"a card")))
        assert (refusal.code, refusal.info.reason) == (grpc.StatusCode.UNAVAILABLE, "TICKETS_UNAVAILABLE")
        assert refusal.retry_s


async def test_without_keys_there_are_no_tickets_and_that_is_said():
    async with running_gateway(http_listen="127.0.0.1:0") as gateway:
        assert (await moderate(gateway)).ticket == ""
        refusal = await refused(gateway.ticket_keys.ListTicketKeys(ticket_pb2.ListTicketKeysRequest()))
        assert (refusal.code, refusal.info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "TICKETS_OFF")
        assert (await get(gateway, "/.well-known/jwks.json"))[0] == 404


async def test_public_keys_need_no_credential(folder):
    async with signing(folder, tokens=["secret"]) as gateway:
        assert await jwks(gateway)
        with pytest.raises(grpc.aio.AioRpcError) as closed:
            await gateway.moderation.Moderate(wire.ModerateRequest(image=b"a card"))
        assert closed.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_the_page_says_how_long_keys_may_be_kept_and_holds_no_private_ones(folder):
    folder.rotate()
    async with signing(folder) as gateway:
        status, headers, body = await get(gateway, "/.well-known/jwks.json")
    assert status == 200
    assert headers["content-type"] == "application/jwk-set+json"
    assert headers["cache-control"] == "public, max-age=60"
    assert "server" not in headers
    keys = json.loads(body)["keys"]
    assert len(keys) == 2
    assert all(set(key) == {"kty", "crv", "x", "kid", "use", "alg"} for key in keys)


async def test_the_page_says_whether_images_can_be_judged(folder):
    async with signing(folder, scorer=FakeScorer(ready=False)) as gateway:
        assert (await get(gateway, "/healthz"))[0] == 503
        gateway.scorer.is_ready = True
        await asyncio.sleep(0.2)
        status, _, body = await get(gateway, "/healthz")
        assert (status, json.loads(body)) == (200, {"status": "SERVING"})
        health = health_pb2_grpc.HealthStub(gateway.channel)
        answer = await health.Check(health_pb2.HealthCheckRequest(service="gatepost.v1.TicketKeyService"))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        assert (await get(gateway, "/nothing"))[0] == 404


async def test_there_is_no_page_unless_it_is_asked_for(folder):
    async with running_gateway(ticket_keys=folder.folder) as gateway:
        assert gateway.http is None


@pytest.mark.parametrize("listen", ["nonsense", "127.0.0.1:port", "192.0.2.1:0", ":"])
async def test_an_address_that_cannot_be_served_on_ends_it(listen):
    with pytest.raises(ListenError):
        async with running_gateway(http_listen=listen):
            pass


async def test_a_missing_ring_ends_it_with_what_to_do(tmp_path):
    with pytest.raises(OSError, match="gatepostd keys init"):
        async with running_gateway(ticket_keys=tmp_path / "none"):
            pass
