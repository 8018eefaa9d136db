"""Annotated images and TLS, over a real socket."""

from __future__ import annotations

import io
import shutil
import subprocess

import grpc
import pytest
from PIL import Image

from gatepost.v1 import moderation_pb2 as wire
from gatepost.v1 import moderation_pb2_grpc, verdict_pb2
from tests.gateways import running_gateway

ANNOTATED = wire.Extras(annotated_image=True)


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (640, 480), "red").save(buffer, "PNG")
    return buffer.getvalue()


async def test_an_annotated_image_is_a_png_and_does_not_drag_the_evidence_along():
    async with running_gateway() as gateway:
        request = wire.ModerateRequest(image=picture(), extras=ANNOTATED)
        verdict = (await gateway.moderation.Moderate(request)).verdict
        drawn = Image.open(io.BytesIO(verdict.annotated_image))
        assert drawn.format == "PNG"
        assert drawn.width >= 640
        assert not verdict.image_findings
        fetched = await gateway.moderation.GetVerdict(wire.GetVerdictRequest(name=verdict.name))
        assert fetched.verdict.annotated_image == b""


async def test_an_image_that_cannot_be_drawn_on_still_gets_its_verdict(capfd):
    async with running_gateway() as gateway:
        request = wire.ModerateRequest(image=b"nothing that Pillow knows", extras=ANNOTATED)
        verdict = (await gateway.moderation.Moderate(request)).verdict
        assert verdict.decision == verdict_pb2.DECISION_ALLOW
        assert verdict.annotated_image == b""
    assert "annotate_failed" in capfd.readouterr().out


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
async def test_it_serves_over_tls(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "1",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-keyout",
            str(key),
            "-out",
            str(certificate),
        ],
        check=True,
        capture_output=True,
    )
    async with running_gateway(tls={"certificate": certificate, "key": key}) as gateway:
        port = gateway.address.rpartition(":")[2]
        credentials = grpc.ssl_channel_credentials(certificate.read_bytes())
        async with grpc.aio.secure_channel(f"localhost:{port}", credentials) as channel:
            stub = moderation_pb2_grpc.ModerationServiceStub(channel)
            assert (await stub.Moderate(wire.ModerateRequest(image=b"x"))).verdict.name
        async with grpc.aio.insecure_channel(f"localhost:{port}") as channel:
            stub = moderation_pb2_grpc.ModerationServiceStub(channel)
            with pytest.raises(grpc.aio.AioRpcError):
                await stub.Moderate(wire.ModerateRequest(image=b"x"), timeout=3.0)
