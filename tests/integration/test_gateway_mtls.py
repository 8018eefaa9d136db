"""TLS and client certificates over real sockets."""

from __future__ import annotations

import asyncio
import contextlib

import grpc
import pytest
from cryptography import x509
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from gatepost.v1 import moderation_pb2 as wire
from gatepost.v1 import moderation_pb2_grpc, policy_pb2
from gatepost_client import AsyncClient, Tls, errors
from gatepost_server.gateway.credentials.caller import Role
from gatepost_server.gateway.credentials.token_file import TokenStore
from gatepost_server.gateway.credentials.watched import FileError
from tests.authorities import Authority, Signed
from tests.gateways import opened_stream_error, refused, running_gateway, stream_request

TENANTS = """
[cards]
[[cards.certificates]]
name = "dns:cards.internal"
roles = ["moderate", "read"]

[posters]
[[posters.certificates]]
name = "uri:spiffe://corp/posters"
roles = ["read"]
"""


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture(scope="module")
def cards(authority):
    return authority.sign("backend", x509.DNSName("cards.internal"))


@pytest.fixture
def settings(authority, tmp_path):
    (tmp_path / "tenants.toml").write_text(TENANTS)
    return {"tls": authority.server_files(tmp_path, clients=True), "tenants": tmp_path / "tenants.toml"}


@contextlib.asynccontextmanager
async def channel(address: str, authority: Authority, own: Signed | None):
    credentials = grpc.ssl_channel_credentials(
        authority.certificate, own.key if own else None, own.certificate if own else None
    )
    async with grpc.aio.secure_channel(address, credentials) as opened:
        yield opened


def moderate(opened: grpc.aio.Channel, **options):
    stub = moderation_pb2_grpc.ModerationServiceStub(opened)
    return stub.Moderate(wire.ModerateRequest(image=b"a card"), timeout=30, **options)


async def test_a_certificate_that_a_tenant_claims_is_its_credential(settings, authority, cards):
    async with running_gateway(**settings) as gateway, channel(gateway.address, authority, cards) as ours:
        verdict = (await moderate(ours)).verdict
        stub = moderation_pb2_grpc.ModerationServiceStub(ours)
        watched = [each.verdict async for each in stub.WatchVerdict(wire.WatchVerdictRequest(name=verdict.name))]
        assert [each.name for each in watched] == [verdict.name]
        stream = stub.ModerateStream()
        await stream.write(stream_request("r-1"))
        await stream.done_writing()
        assert all([answer.verdict.name async for answer in stream])
        reflected = reflection_pb2_grpc.ServerReflectionStub(ours).ServerReflectionInfo(
            iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        )
        assert [answer async for answer in reflected]


async def test_its_roles_and_its_tenant_are_what_the_file_says(settings, authority, cards):
    posters = authority.sign("backend", x509.UniformResourceIdentifier("spiffe://corp/posters"))
    async with (
        running_gateway(**settings) as gateway,
        channel(gateway.address, authority, cards) as ours,
        channel(gateway.address, authority, posters) as theirs,
    ):
        refusal = await refused(moderate(theirs))
        assert (refusal.code, refusal.info.reason) == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_MISSING")
        name = (await moderate(ours)).verdict.name
        stub = moderation_pb2_grpc.ModerationServiceStub(theirs)
        refusal = await refused(stub.GetVerdict(wire.GetVerdictRequest(name=name)))
        assert refusal.code is grpc.StatusCode.NOT_FOUND


async def test_a_certificate_that_nobody_claims_opens_nothing_but_health(settings, authority):
    stranger = authority.sign("cards.internal", x509.DNSName("cards.internal.evil"))
    async with running_gateway(**settings) as gateway, channel(gateway.address, authority, stranger) as theirs:
        refusal = await refused(moderate(theirs))
        assert (refusal.code, refusal.info.reason) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")
        await health_pb2_grpc.HealthStub(theirs).Check(health_pb2.HealthCheckRequest())


async def test_without_a_certificate_of_the_ca_there_is_no_connection(settings, authority):
    forged = Authority().sign("backend", x509.DNSName("cards.internal"))
    async with running_gateway(**settings) as gateway:
        for own in (None, forged):
            async with channel(gateway.address, authority, own) as theirs:
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await moderate(theirs)
                assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_certificate_is_struck_off_while_the_gateway_runs(settings, authority, cards):
    async with running_gateway(**settings) as gateway, channel(gateway.address, authority, cards) as ours:
        stream = moderation_pb2_grpc.ModerationServiceStub(ours).ModerateStream()
        await stream.write(stream_request("before"))
        assert (await stream.read()).verdict.name
        settings["tenants"].write_text(TENANTS.replace("dns:cards.internal", "dns:other.internal"))
        assert (await refused(moderate(ours))).code is grpc.StatusCode.UNAUTHENTICATED
        await stream.write(stream_request("after"))
        assert opened_stream_error((await stream.read()).error).code is grpc.StatusCode.UNAUTHENTICATED
        await stream.done_writing()


async def test_a_token_says_more_than_the_certificate_it_came_with(settings, authority, cards, tmp_path):
    store = TokenStore(tmp_path / "credentials.json")
    token, _ = store.new("posters", [Role.READ])
    async with (
        running_gateway(credentials=tmp_path / "credentials.json", **settings) as gateway,
        channel(gateway.address, authority, cards) as ours,
    ):
        assert (await moderate(ours)).verdict.name
        for shown, code in ((token, "PERMISSION_DENIED"), ("wrong", "UNAUTHENTICATED")):
            refusal = await refused(moderate(ours, metadata=(("authorization", f"Bearer {shown}"),)))
            assert refusal.code.name == code


async def test_a_ca_alone_lets_in_whom_it_signed_as_the_default_tenant(authority, tmp_path, capfd):
    tls = authority.server_files(tmp_path, clients=True)
    async with running_gateway(tls=tls) as gateway, channel(gateway.address, authority, authority.sign("x")) as ours:
        assert (await moderate(ours)).verdict.name
    log = capfd.readouterr().out
    assert "OPEN_TO_EVERYBODY" not in log
    assert "tenant=default" in log


async def test_with_tokens_a_certificate_alone_is_no_credential(authority, tmp_path):
    tls = authority.server_files(tmp_path, clients=True)
    async with (
        running_gateway(tls=tls, tokens=["hunter2"]) as gateway,
        channel(gateway.address, authority, authority.sign("x")) as ours,
    ):
        assert (await refused(moderate(ours))).code is grpc.StatusCode.UNAUTHENTICATED
        assert (await moderate(ours, metadata=(("authorization", "Bearer hunter2"),))).verdict.name


async def test_claims_without_a_ca_are_a_mistake(settings):
    with pytest.raises(FileError, match="client_ca"):
        async with running_gateway(tenants=settings["tenants"]):
            pass


async def test_the_sdk_brings_its_certificate(settings, authority, cards):
    own = {"certificate_chain": cards.certificate, "private_key": cards.key}
    async with running_gateway(**settings) as gateway:
        async with AsyncClient(
            gateway.address, tls=Tls(root_certificates=authority.certificate, **own), timeout=30
        ) as client:
            assert (await client.moderate(b"a card")).allowed
        async with AsyncClient(gateway.address, tls=Tls(root_certificates=authority.certificate), retries=0) as client:
            with pytest.raises(errors.Unavailable):
                await client.moderate(b"a card")


async def test_policies_over_mutual_tls_are_the_tenants(settings, authority, cards):
    settings["tenants"].write_text(TENANTS.replace("[cards]\n", '[cards]\npolicies = ["strict"]\n'))
    async with running_gateway(**settings) as gateway, channel(gateway.address, authority, cards) as ours:
        listed = await asyncio.wait_for(
            ours.unary_unary(
                "/gatepost.v1.PolicyService/ListPolicies",
                request_serializer=policy_pb2.ListPoliciesRequest.SerializeToString,
                response_deserializer=policy_pb2.ListPoliciesResponse.FromString,
            )(policy_pb2.ListPoliciesRequest()),
            30,
        )
        assert [policy.name for policy in listed.policies] == ["strict"]
