"""What deploy/compose puts together works together: run as processes, for there is no container engine here.

Two gateways and a console, installed from the wheels with the packages of requirements/gateway.lock alone (the image's),
settings of compose.yaml and secrets.example; its nginx configuration; a real PostgreSQL; moto for S3; a real Triton.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.stack import Stack, wait_ready
from gatepost_client import Client, Decision, NotFound
from tests.nginx import nginx_binary, wait_listening
from tests.places import ROOT, Place, only
from tests.postgres import Postgres
from tests.rescan_parts import until
from tests.s3_server import client_of, s3_server

COMPOSE = ROOT / "deploy" / "compose"
SERVICES: dict[str, Any] = yaml.safe_load((COMPOSE / "compose.yaml").read_text())["services"]
BUCKET = SERVICES["images"]["environment"]["S3_BUCKET"]
ASKED = {"expected_text": ["新年快乐", "仕途顺遂"], "locale": "zh"}

pytestmark = pytest.mark.timeout(600)


@dataclass
class Started:
    process: subprocess.Popen[bytes]
    addresses: dict[str, str]


@dataclass
class Deployment:
    place: Place
    gateways: list[Started]
    console: Started
    balancer: str
    s3: str
    token: str

    def client(self, address: str) -> Client:
        return Client(address, token=self.token, timeout=120)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def started(place: Place, name: str, environment: dict[str, str]) -> Iterator[Started]:
    """The compose file's service `name`, when it is ready."""
    ready, log = place.work / f"{name}.json", place.work / f"{name}.log"
    arguments = SERVICES[name].get("command", ["gateway"])
    with log.open("wb") as stream:
        child = subprocess.Popen(
            [place.program("gatepostd"), *arguments, "--ready-file", str(ready)],
            cwd=place.work,
            env=place.environment | environment,
            stdout=stream,
            stderr=stream,
        )
    try:
        wait_ready(child, ready, log, seconds=200.0)
        yield Started(child, json.loads(ready.read_text()))
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(60)


@contextlib.contextmanager
def balancing(gateways: list[Started], folder: Path) -> Iterator[str]:
    """nginx with the compose file's configuration; its address."""
    address = f"127.0.0.1:{free_port()}"
    text = (
        (COMPOSE / "balancer.conf")
        .read_text()
        .replace("/tmp/", f"{folder}/")
        .replace("50051 http2", f"{address} http2")
    )
    for number, gateway in enumerate(gateways, 1):
        assert f"server gateway-{number}:50051" in text
        text = text.replace(f"gateway-{number}:50051", gateway.addresses["grpc"])
    configuration, log = folder / "nginx.conf", folder / "error.log"
    configuration.write_text(("user root;\n" if os.geteuid() == 0 else "") + text)
    command = [nginx_binary(), "-p", str(folder), "-e", str(log), "-g", "daemon off;", "-c", str(configuration)]
    process = subprocess.Popen(command)
    try:
        wait_listening(process, address, log)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def settings_of(name: str, place: Place, triton: str, s3: dict[str, str]) -> dict[str, str]:
    """The service's environment in compose.yaml, with this machine's places for the containers'."""
    here = {
        "triton:8001": triton,
        "/run/secrets/gatepost": str(place.work / "gatepost.toml"),
        "/run/secrets/credentials": str(place.work / "credentials.json"),
        "/var/lib/gatepost/handover.db": str(place.work / f"{name}.db"),
        "/tmp/handover.db": str(place.work / f"{name}.db"),
        "/ticket-keys": str(place.work / "ring"),
        "0.0.0.0:8080": "127.0.0.1:0",
    }
    said = {key: here.get(value, value) for key, value in SERVICES[name]["environment"].items()}
    image = {"GATEPOST_GATEWAY_LISTEN": "127.0.0.1:0", "GATEPOST_GATEWAY_HTTP_LISTEN": "127.0.0.1:0"}
    return image | said | s3


@pytest.fixture(scope="module")
def deployment(
    tmp_path_factory: pytest.TempPathFactory, wheels: list[Path], stack: Stack, postgres: Postgres
) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("deployment")
    place = Place(folder / "place", only("gateway", folder / "packages"))
    place.install(wheels)
    secrets = (COMPOSE / "secrets.example" / "gatepost.toml").read_text()
    secrets = secrets.replace("postgresql+psycopg://gatepost:CHANGE-ME@postgres/gatepost", postgres.database("compose"))
    secrets = secrets.replace("first:CHANGE-ME", f"first:{base64.b64encode(os.urandom(32)).decode()}")
    (place.work / "gatepost.toml").write_text(secrets)
    asked = ["--tenant", "cards", "--file", "credentials.json"]
    token = place.run("gatepostd", "tokens", "new", *asked).stdout.strip()
    assert place.run("gatepostd", "keys", "init", "--keys", "ring").returncode == 0
    with contextlib.ExitStack() as running:
        url, s3 = running.enter_context(s3_server(BUCKET))
        gateways = [
            running.enter_context(started(place, name, settings_of(name, place, stack.triton, s3)))
            for name in ("gateway-1", "gateway-2")
        ]
        console = running.enter_context(started(place, "console", settings_of("console", place, stack.triton, s3)))
        (folder / "nginx").mkdir()
        balancer = running.enter_context(balancing(gateways, folder / "nginx"))
        yield Deployment(place, gateways, console, balancer, url, token)


@pytest.mark.parametrize(
    "package", ["torch", "cv2", "openvino", "onnxruntime", "paddleocr", "pytriton", "ray", "pytest"]
)
def test_the_gateways_image_has_nothing_of_models_and_tests(deployment: Deployment, package: str) -> None:
    assert "ModuleNotFoundError" in deployment.place.finds(package).stderr


def test_cards_are_judged_through_the_balancer_by_both_gateways(deployment: Deployment, card: dict[str, bytes]) -> None:
    with deployment.client(deployment.balancer) as client:
        good = [client.moderate(card["new_year"], **ASKED) for _ in range(4)]
        bad = client.moderate(card["new_year_replaced"], **ASKED)
    assert {verdict.decision for verdict in good} == {Decision.ALLOW}
    assert all(verdict.ticket for verdict in good)
    assert bad.decision is Decision.BLOCK
    logs = [(deployment.place.work / f"gateway-{number}.log").read_text() for number in (1, 2)]
    assert all(any(verdict.name in log for verdict in good) for log in logs)


def test_a_verdict_of_one_gateway_is_found_at_the_other_and_its_image_is_kept(
    deployment: Deployment, card: dict[str, bytes]
) -> None:
    first, second = (deployment.client(gateway.addresses["grpc"]) for gateway in deployment.gateways)
    with first, second:
        verdict = first.moderate(card["new_year_replaced"], **ASKED)

        def there() -> bool:
            with contextlib.suppress(NotFound):
                return second.get_verdict(verdict.name).decision is Decision.BLOCK
            return False

        until(there, within_s=60.0)
    kept = client_of(deployment.s3).list_objects_v2(Bucket=BUCKET)
    assert any(verdict.name.rpartition("/")[2] in each["Key"] for each in kept["Contents"])


def test_nobody_asks_without_a_token(deployment: Deployment, card: dict[str, bytes]) -> None:
    with Client(deployment.balancer) as client:
        assert client.gate(card["new_year"]).decision is Decision.HOLD


def test_the_console_serves_pages(deployment: Deployment) -> None:
    with urllib.request.urlopen(deployment.console.addresses["console"], timeout=60) as page:
        assert page.status == 200
        assert b"<html" in page.read()


def test_one_gateway_less_is_not_noticed(deployment: Deployment, card: dict[str, bytes]) -> None:
    deployment.gateways[0].process.send_signal(signal.SIGTERM)
    assert deployment.gateways[0].process.wait(60) == 0
    with deployment.client(deployment.balancer) as client:
        assert {client.moderate(card["new_year"], **ASKED).decision for _ in range(3)} == {Decision.ALLOW}
