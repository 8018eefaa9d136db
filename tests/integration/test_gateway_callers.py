"""Who may ask, over real sockets: tokens and their rotation, roles, tenants, pace, quotas, logs."""

from __future__ import annotations

import asyncio
import contextlib

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from gatepost.v1 import moderation_pb2 as wire
from gatepost.v1 import policy_pb2, ticket_pb2, verdict_pb2
from gatepost_client import AsyncClient, errors
from gatepost_server.gateway.credentials.caller import Role
from gatepost_server.gateway.credentials.methods import OPEN, ROLES
from gatepost_server.gateway.credentials.token_file import TokenStore
from gatepost_server.gateway.credentials.watched import FileError
from tests.gateways import Gateway, opened_stream_error, refused, running_gateway, script, stream_request

ALL = tuple(Role)

# A caller's deadline. The gateway's margin is nearly as long: HOLD comes soon, and in time on a loaded machine.
PATIENT_S = 10.0


class House:
    """A file of tokens and a file of tenants, and gateways over them."""

    def __init__(self, folder) -> None:
        self.store = TokenStore(folder / "credentials.json")
        self.credentials = folder / "credentials.json"
        self.tenants = folder / "tenants.toml"
        self.cards = self.token("cards")
        self.posters = self.token("posters")

    def token(self, tenant: str, *roles: Role, **options) -> str:
        return self.store.new(tenant, roles or ALL, **options)[0]

    @contextlib.asynccontextmanager
    async def open(self, tenants: str = "", **settings):
        if tenants:
            self.tenants.write_text(tenants)
            settings["tenants"] = self.tenants
        async with running_gateway(credentials=self.credentials, **settings) as gateway:
            yield gateway


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


def moderate(gateway: Gateway, token: str, **fields):
    request = wire.ModerateRequest(**{"image": b"a card", **fields})
    return gateway.moderation.Moderate(request, metadata=bearer(token))


async def status_of(gateway: Gateway, method: str, token: str | None = None) -> grpc.StatusCode:
    """How a call of any method ends that sends one empty message."""
    call = gateway.channel.stream_stream(method)(metadata=bearer(token) if token else None)
    with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):  # refused before it was sent
        await call.write(b"")
        await call.done_writing()
        async with asyncio.timeout(30):
            async for _ in call:  # the status comes after the answers
                pass
    return await call.code()


async def test_the_table_of_roles_has_every_method_that_is_served(house):
    async with house.open() as gateway:
        stub = reflection_pb2_grpc.ServerReflectionStub(gateway.channel)
        ask = reflection_pb2.ServerReflectionRequest(list_services="")
        answers = [answer async for answer in stub.ServerReflectionInfo(iter([ask]), metadata=bearer(house.cards))]
        served = {service.name for service in answers[0].list_services_response.service}
        assert served == {method.split("/")[1] for method in OPEN | set(ROLES)}


async def test_without_a_credential_everything_is_closed_but_health_and_public_keys(house):
    async with house.open() as gateway:
        for method in ROLES:
            assert await status_of(gateway, method) is grpc.StatusCode.UNAUTHENTICATED, method
            assert await status_of(gateway, method, "wrong") is grpc.StatusCode.UNAUTHENTICATED, method
        assert await status_of(gateway, "/gatepost.v1.Unheard/Of") is grpc.StatusCode.UNAUTHENTICATED
        assert await status_of(gateway, "/gatepost.v1.Unheard/Of", house.cards) is grpc.StatusCode.UNIMPLEMENTED
        await health_pb2_grpc.HealthStub(gateway.channel).Check(health_pb2.HealthCheckRequest())
        refusal = await refused(gateway.ticket_keys.ListTicketKeys(ticket_pb2.ListTicketKeysRequest()))
        assert refusal.info.reason == "TICKETS_OFF"


@pytest.mark.parametrize("role", ALL)
async def test_each_role_opens_its_own_methods(house, role):
    token = house.token("cards", role)
    async with house.open() as gateway:
        for method, needed in ROLES.items():
            denied = await status_of(gateway, method, token) is grpc.StatusCode.PERMISSION_DENIED
            assert denied is (needed is not role), method


async def test_a_role_that_is_missing_is_said_with_a_reason(house):
    token = house.token("cards", Role.READ)
    async with house.open() as gateway:
        refusal = await refused(moderate(gateway, token))
        assert (refusal.code, refusal.info.reason) == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_MISSING")
        assert refusal.message == "this needs the role moderate"
        assert refusal.localized.message


@pytest.mark.parametrize(
    "headers", [("Basic x",), ("Bearer",), ("Bearer ",), ("",), ("{token}",), ("Bearer {token}",) * 2]
)
async def test_the_header_must_be_one_bearer_token(house, headers):
    async with house.open() as gateway:
        metadata = tuple(("authorization", each.format(token=house.cards)) for each in headers)
        refusal = await refused(gateway.moderation.Moderate(wire.ModerateRequest(image=b"x"), metadata=metadata))
        assert refusal.code is grpc.StatusCode.UNAUTHENTICATED


async def test_tokens_rotate_while_the_gateway_runs(house):
    old = house.token("cards", id="old")
    async with house.open() as gateway:
        assert (await moderate(gateway, old)).verdict.name
        new = house.token("cards", id="new")
        assert (await moderate(gateway, new)).verdict.name
        house.store.revoke("old")
        assert (await refused(moderate(gateway, old))).code is grpc.StatusCode.UNAUTHENTICATED
        assert (await moderate(gateway, new)).verdict.name


async def test_a_stream_ends_with_its_token_and_a_watch_too(house, tmp_path):
    token = house.token("cards", id="leaving")
    async with house.open(backlog=str(tmp_path / "backlog.db"), deadline_margin_s=PATIENT_S - 0.8) as gateway:
        held = wire.ModerateRequest(image=script(delay_s=1.5))
        name = (await gateway.moderation.Moderate(held, metadata=bearer(token), timeout=PATIENT_S)).verdict.name
        watch = gateway.moderation.WatchVerdict(wire.WatchVerdictRequest(name=name), metadata=bearer(token))
        assert (await watch.read()).verdict.pending
        stream = gateway.moderation.ModerateStream(metadata=bearer(token))
        await stream.write(stream_request("before"))
        assert (await stream.read()).verdict.name
        house.store.revoke("leaving")
        await stream.write(stream_request("after"))
        assert opened_stream_error((await stream.read()).error).code is grpc.StatusCode.UNAUTHENTICATED
        await stream.done_writing()
        assert (await refused(watch.read())).code is grpc.StatusCode.UNAUTHENTICATED


async def test_a_file_that_breaks_later_keeps_serving_those_it_named_and_is_shouted(house, capfd):
    async with house.open() as gateway:
        house.credentials.write_text("broken")
        assert (await moderate(gateway, house.cards)).verdict.name
        assert (await refused(moderate(gateway, "wrong"))).code is grpc.StatusCode.UNAUTHENTICATED
    assert "credentials.json: content: Invalid JSON" in capfd.readouterr().out


async def test_a_broken_file_at_the_start_is_an_error(house):
    with pytest.raises(FileError, match=r"tenants\.toml: cards\.images_per_dya"):
        async with house.open("[cards]\nimages_per_dya = 1\n"):
            pass
    house.tenants.write_text("[cards]\n")
    with pytest.raises(FileError, match=r"\[default\]"):
        async with running_gateway(tokens=["hunter2"], tenants=house.tenants):
            pass
    house.credentials.write_text("broken")
    with pytest.raises(FileError, match=r"credentials\.json"):
        async with house.open():
            pass


async def test_a_verdict_is_its_own_tenants_alone(house):
    async with house.open() as gateway:
        labels = {"tenant": "posters"}  # a caller's word, and worth nothing
        verdict = (await moderate(gateway, house.cards, labels=labels)).verdict
        read = wire.GetVerdictRequest(name=verdict.name)
        watch = wire.WatchVerdictRequest(name=verdict.name)
        assert (await gateway.moderation.GetVerdict(read, metadata=bearer(house.cards))).verdict == verdict
        for call in (
            gateway.moderation.GetVerdict(read, metadata=bearer(house.posters)),
            gateway.moderation.WatchVerdict(watch, metadata=bearer(house.posters)).read(),
        ):
            refusal = await refused(call)
            assert (refusal.code, refusal.info.reason) == (grpc.StatusCode.NOT_FOUND, "VERDICT_UNKNOWN")


async def test_a_held_image_and_the_same_request_id_stay_within_their_tenant(house, tmp_path):
    async with house.open(backlog=str(tmp_path / "backlog.db"), deadline_margin_s=PATIENT_S - 0.3) as gateway:
        held = {}
        for token in (house.cards, house.posters):
            request = wire.ModerateRequest(image=script(delay_s=0.6), request_id="the-same")
            answer = await gateway.moderation.Moderate(request, metadata=bearer(token), timeout=PATIENT_S)
            assert answer.verdict.pending
            held[token] = answer.verdict.name
        assert held[house.cards] != held[house.posters]
        watch = wire.WatchVerdictRequest(name=held[house.cards])
        stranger = gateway.moderation.WatchVerdict(watch, metadata=bearer(house.posters))
        assert (await refused(stranger.read())).code is grpc.StatusCode.NOT_FOUND
        seen = [answer.verdict async for answer in gateway.moderation.WatchVerdict(watch, metadata=bearer(house.cards))]
        assert seen[-1].decision == verdict_pb2.DECISION_ALLOW


async def test_a_tenant_has_its_own_policies(house):
    tenants = '[cards]\npolicies = ["strict"]\n[posters]\n'
    async with house.open(tenants) as gateway:
        request = policy_pb2.ListPoliciesRequest()
        ours = (await gateway.policies.ListPolicies(request, metadata=bearer(house.cards))).policies
        theirs = (await gateway.policies.ListPolicies(request, metadata=bearer(house.posters))).policies
        assert [(policy.name, policy.is_default) for policy in ours] == [("strict", True)]
        assert len(theirs) > 1
        assert (await moderate(gateway, house.cards)).verdict.policy.name == "strict"
        assert (await moderate(gateway, house.posters)).verdict.policy.name == "greeting-card"
        refusal = await refused(moderate(gateway, house.cards, policy="greeting-card"))
        assert (refusal.info.reason, refusal.fields) == ("POLICY_UNKNOWN", ["policy"])


async def test_a_tenant_that_is_struck_off_is_refused_whatever_it_asks(house):
    async with house.open("[cards]\n[posters]\n") as gateway:
        verdict = (await moderate(gateway, house.cards)).verdict
        house.tenants.write_text("[posters]\n")
        refusal = await refused(moderate(gateway, house.cards))
        assert (refusal.code, refusal.info.reason) == (grpc.StatusCode.PERMISSION_DENIED, "TENANT_UNKNOWN")
        read = wire.GetVerdictRequest(name=verdict.name)
        refusal = await refused(gateway.moderation.GetVerdict(read, metadata=bearer(house.cards)))
        assert refusal.info.reason == "TENANT_UNKNOWN"
        assert (await moderate(gateway, house.posters)).verdict.name


async def test_too_many_images_a_second_are_refused_before_they_are_read_and_told_when(house):
    async with house.open("[cards]\nimages_per_second = 0.01\nburst = 2\n[posters]\n") as gateway:
        for _ in range(2):
            assert (await moderate(gateway, house.cards)).verdict.name
        refusal = await refused(moderate(gateway, house.cards, locale="zh"))
        assert (refusal.code, refusal.info.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED")
        assert 0.0 < refusal.retry_s <= 100.0
        assert (await moderate(gateway, house.posters)).verdict.name
        async with AsyncClient(gateway.address, token=house.cards) as client:
            with pytest.raises(errors.Overloaded) as caught:
                await client.moderate(b"a card")
            assert caught.value.reason == "RATE_LIMITED"
            assert (await client.gate(b"a card")).decision.name == "HOLD"


async def test_images_of_a_stream_wait_for_their_turn(house):
    async with house.open("[cards]\nimages_per_second = 20\nburst = 1\n") as gateway:
        call = gateway.moderation.ModerateStream(metadata=bearer(house.cards))
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in range(5):
            await call.write(stream_request(f"r-{number}"))
        await call.done_writing()
        answers = [answer async for answer in call]
        assert {answer.request_id for answer in answers} == {f"r-{number}" for number in range(5)}
        assert all(answer.verdict.name for answer in answers)
        assert loop.time() - began >= 0.19  # four turns of 50 ms; slower machines only wait longer


async def test_a_quota_ends_the_day_for_calls_and_streams_and_outlives_a_restart(house, tmp_path):
    kept = {"tenants": "[cards]\nimages_per_day = 2\n[posters]\n", "backlog": str(tmp_path / "backlog.db")}
    async with house.open(**kept) as gateway:
        assert (await moderate(gateway, house.cards)).verdict.name
        call = gateway.moderation.ModerateStream(metadata=bearer(house.cards))
        for number in range(3):
            await call.write(stream_request(f"r-{number}"))
        await call.done_writing()
        answers = [answer async for answer in call]
        assert sorted(answer.WhichOneof("result") for answer in answers) == ["error", "error", "verdict"]
    async with house.open(**kept) as gateway:
        refusal = await refused(moderate(gateway, house.cards))
        assert (refusal.code, refusal.info.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "QUOTA_EXCEEDED")
        assert 0.0 < refusal.retry_s <= 86_400.0
        assert (await moderate(gateway, house.posters)).verdict.name


async def test_logs_say_who_asked_and_hold_no_secret(house, capfd):
    secrets = [house.cards, house.posters, "hunter2-of-the-settings"]
    revoked = house.token("cards", id="revoked")
    house.store.revoke("revoked")
    told = []
    async with house.open(tokens=[secrets[2]]) as gateway:
        for token in secrets:
            await moderate(gateway, token)
        for token in (revoked, "gatepost_made_up", f"{house.cards}x"):
            told.append(await refused(moderate(gateway, token)))
    log = capfd.readouterr().out
    assert "tenant=cards" in log
    assert "credential=token:settings" in log
    assert "token:revoked" in log
    for secret in (*secrets, revoked, "gatepost_made_up"):
        body = secret.split("_", 2)[-1]
        assert body not in log
        assert body not in str(told)


async def test_a_gateway_that_is_open_to_everybody_says_so_loudly(house, capfd):
    async with running_gateway() as gateway:
        assert (await gateway.moderation.Moderate(wire.ModerateRequest(image=b"x"))).verdict.name
    assert "OPEN_TO_EVERYBODY" in capfd.readouterr().out
    async with house.open():
        pass
    assert "OPEN_TO_EVERYBODY" not in capfd.readouterr().out
    async with house.open(listen="0.0.0.0:0"):
        pass
    assert "CREDENTIALS_IN_PLAIN_TEXT" in capfd.readouterr().out
