"""Where the server is and how it is reached."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import os
import subprocess
import sys
import threading
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gatepost_client import AsyncClient, Cancelled, Client, Decision, Tls
from gatepost_client.testing import Delayed, FakeServer, verdict


@pytest.mark.parametrize("target", ["gatepost.example:443", "10.0.0.1:50051", "dns:///gate:1"])
def test_a_token_is_not_sent_in_the_clear(target: str) -> None:
    with pytest.raises(ValueError, match="without TLS"):
        Client(target, token="secret")
    Client(target, token="secret", tls=True).close()
    Client(target, token="secret", allow_insecure_token=True).close()


@pytest.mark.parametrize(
    "target", ["localhost:1", "127.0.0.1:1", "[::1]:1", "unix:/run/gate.sock", "dns:///localhost:1"]
)
def test_a_token_may_stay_on_this_machine_in_the_clear(target: str) -> None:
    Client(target, token="secret").close()


def test_the_target_comes_from_the_argument_the_environment_or_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATEPOST_TARGET", raising=False)
    assert Client().target == "localhost:50051"
    monkeypatch.setenv("GATEPOST_TARGET", "elsewhere:1")
    assert Client().target == "elsewhere:1"
    assert Client("here:2").target == "here:2"


@pytest.mark.parametrize("options", [{"timeout": 0}, {"retries": -1}, {"max_message_bytes": 0}])
def test_settings_that_cannot_work_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="positive"):
        Client(**options)  # type: ignore[arg-type]


def test_a_certificate_that_is_not_there_is_missed_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Client(tls=Tls(root_certificates=tmp_path / "missing.pem"))


def certificate(name: str) -> tuple[bytes, bytes]:
    """A key and a self-signed certificate, PEM, for `name` and 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, signed.public_bytes(serialization.Encoding.PEM)


def test_tls_works_with_certificates_on_both_sides(tmp_path: Path) -> None:
    server_key, server_certificate = certificate("gate.test")
    client_key, client_certificate = certificate("caller.test")
    (tmp_path / "root.pem").write_bytes(server_certificate)
    credentials = grpc.ssl_server_credentials(
        [(server_key, server_certificate)], root_certificates=client_certificate, require_client_auth=True
    )
    own = {"certificate_chain": client_certificate, "private_key": client_key}
    with FakeServer(token="secret", credentials=credentials) as server:
        with Client(server.target, tls=Tls(root_certificates=tmp_path / "root.pem", **own), token="secret") as client:
            assert client.gate(b"image").allowed
        named = Tls(root_certificates=server_certificate, server_name="gate.test", **own)
        with Client(server.target, tls=named, token="secret") as client:
            assert client.gate(b"image").allowed
        strangers = (Tls(root_certificates=server_certificate), Tls(root_certificates=client_certificate, **own), True)
        for tls in strangers:
            with Client(server.target, tls=tls, token="secret", retries=0) as client:
                assert client.gate(b"image").decision is Decision.HOLD


def test_a_forked_child_asks_over_a_connection_of_its_own(fake_gatepost: FakeServer) -> None:
    script = """
import os, sys
from gatepost_client import Client
client = Client(sys.argv[1])
assert client.gate(b"image", request_id="parent-1").allowed
child = os.fork()
if child == 0:
    os._exit(0 if client.gate(b"image", request_id="child").allowed else 1)
_, status = os.waitpid(child, 0)
assert client.gate(b"image", request_id="parent-2").allowed
sys.exit(os.waitstatus_to_exitcode(status))
"""
    done = subprocess.run([sys.executable, "-c", script, fake_gatepost.target], timeout=60, env={**os.environ})
    assert done.returncode == 0
    asked = [received.request.request_id for received in fake_gatepost.received]
    assert asked == ["parent-1", "child", "parent-2"]


def test_the_client_imports_no_heavy_neighbours() -> None:
    script = """
import sys
import threading
import gatepost_client, gatepost_client.annotate, gatepost_client.cli, gatepost_client.testing
print(sorted({"numpy", "torch", "tritonclient", "gatepost_server", "cv2", "pytest"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


async def test_an_async_client_belongs_to_one_event_loop(fake_gatepost: FakeServer) -> None:
    async with AsyncClient(fake_gatepost.target) as client:
        assert (await client.gate(b"image")).allowed
        with pytest.raises(RuntimeError, match="event loop"):
            await asyncio.to_thread(lambda: asyncio.run(client.gate(b"image")))


async def test_a_cancelled_task_is_cancelled_and_not_held(fake_gatepost: FakeServer) -> None:
    fake_gatepost.default = Delayed(60, verdict())
    async with AsyncClient(fake_gatepost.target) as client:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.gate(b"image"), 0.2)


def test_closing_a_client_ends_the_calls_in_flight(fake_gatepost: FakeServer) -> None:
    fake_gatepost.default = Delayed(60, verdict())
    client = Client(fake_gatepost.target)
    threading.Timer(0.3, client.close).start()
    assert isinstance(client.gate(b"image").error, Cancelled)
