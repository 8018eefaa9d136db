"""A gateway in a process of its own: SIGTERM, draining, what is printed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import grpc
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gatepost.v1 import moderation_pb2 as wire
from gatepost.v1 import moderation_pb2_grpc, verdict_pb2
from tests.gateways import script

pytestmark = pytest.mark.integration

PROGRAM = """
import asyncio, sys
from gatepost_server.gateway.server import serve
from gatepost_server.gateway.settings import GatewaySettings
from gatepost_server.scoring.fake import FakeScorer

ready = lambda addresses: print("READY", addresses.grpc, flush=True)
asyncio.run(serve(GatewaySettings.load(), ready=ready, scorer=FakeScorer()))
"""


class Process:
    """The gateway's process; its output is read by a thread."""

    def __init__(self, **environment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            env={
                **os.environ,
                "GATEPOST_GATEWAY_LISTEN": "127.0.0.1:0",
                "GATEPOST_GATEWAY_CANARY_INTERVAL_S": "0",  # the fake cannot read cards
                "GATEPOST_GATEWAY_EVIDENCE_CACHE_BYTES": "0",
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout:
            self.lines.append(line)
            if line.startswith("READY"):
                self._ready.set()

    def address(self) -> str:
        assert self._ready.wait(100.0), "".join(self.lines)
        return next(line.split()[1] for line in self.lines if line.startswith("READY"))

    def memory_bytes(self) -> int:
        return psutil.Process(self._process.pid).memory_info().rss

    def send(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        code = self._process.wait(60.0)
        self._reader.join()
        self._process.stdout.close()
        return code

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self.wait()


@pytest.fixture
def start():
    processes = []

    def begin(**environment: str) -> Process:
        processes.append(Process(**environment))
        return processes[-1]

    yield begin
    for process in processes:
        process.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopping_gateway_finishes_what_is_inside_refuses_what_is_new_and_exits_0(start, number):
    process = start()
    with grpc.insecure_channel(process.address()) as channel:
        stub = moderation_pb2_grpc.ModerationServiceStub(channel)
        health = health_pb2_grpc.HealthStub(channel)
        inside = stub.Moderate.future(wire.ModerateRequest(image=script(delay_s=1.5)))
        time.sleep(0.5)
        process.send(number)
        time.sleep(0.3)
        status = health.Check(health_pb2.HealthCheckRequest()).status
        assert status == health_pb2.HealthCheckResponse.NOT_SERVING
        with pytest.raises(grpc.RpcError) as caught:
            stub.Moderate(wire.ModerateRequest(image=b"late"))
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        details = dict(caught.value.trailing_metadata())["grpc-status-details-bin"]
        assert b"DRAINING" in details
        assert b"RetryInfo" in details
        assert inside.result(timeout=10.0).verdict.decision == verdict_pb2.DECISION_ALLOW
    assert process.wait() == 0


def test_what_does_not_finish_within_the_grace_time_is_ended(start):
    process = start(GATEPOST_GATEWAY_GRACE_S="0.5")
    with grpc.insecure_channel(process.address()) as channel:
        stub = moderation_pb2_grpc.ModerationServiceStub(channel)
        inside = stub.Moderate.future(wire.ModerateRequest(image=script(delay_s=25)))
        time.sleep(0.5)
        started = time.monotonic()
        process.send(signal.SIGTERM)
        assert process.wait() == 0
        assert time.monotonic() - started < 20.0  # and not the 25 that the image takes
        assert inside.exception(timeout=5.0) is not None


def test_memory_is_given_back_after_large_images(start):
    process = start()
    large = script() + b" " * (19 << 20)
    with grpc.insecure_channel(process.address(), options=[("grpc.max_send_message_length", -1)]) as channel:
        stub = moderation_pb2_grpc.ModerationServiceStub(channel)
        stub.Moderate(wire.ModerateRequest(image=b"warm"))
        before = process.memory_bytes()
        for _ in range(15):
            stub.Moderate(wire.ModerateRequest(image=large))
        deadline = time.monotonic() + 20.0  # the last one is answered before it is let go
        while (grown := process.memory_bytes() - before) >= 80 << 20 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert grown < 80 << 20  # four images; what is freed in pieces stays with the heap, 40 to 60 MiB


def test_texts_are_logged_only_where_the_operator_says_so(start):
    process = start(GATEPOST_GATEWAY_LOG_TEXT="true")
    with grpc.insecure_channel(process.address()) as channel:
        stub = moderation_pb2_grpc.ModerationServiceStub(channel)
        stub.Moderate(wire.ModerateRequest(image=script(lines=[{"text": "Xyzzy"}]), prompt="Plugh"))
    process.send(signal.SIGTERM)
    assert process.wait() == 0
    log = "".join(process.lines)
    assert "Xyzzy" in log
    assert "Plugh" in log


def test_logs_say_what_was_decided_and_never_what_was_written(start):
    process = start(GATEPOST_GATEWAY_TOKENS='["hunter2"]')
    with grpc.insecure_channel(process.address()) as channel:
        stub = moderation_pb2_grpc.ModerationServiceStub(channel)
        image = script(scores={"insult": 0.9}, lines=[{"text": "Xyzzy"}])
        request = wire.ModerateRequest(image=image, prompt="Plugh", request_id="id-1", locale="en")
        stub.Moderate(request, metadata=(("authorization", "Bearer hunter2"),))
    process.send(signal.SIGTERM)
    assert process.wait() == 0
    log = "".join(process.lines)
    for word in ("id-1", "BLOCK", "SCORE:insult", "max_images_in_flight", "draining"):
        assert word in log
    for word in ("Xyzzy", "Plugh", "hunter2"):
        assert word not in log


def test_a_scorer_that_allows_everything_never_serves(start):
    """With the real cards of the day: the fake cannot read them, and says that the bad one is clean."""
    process = start(GATEPOST_GATEWAY_CANARY_INTERVAL_S="60", GATEPOST_LOG_FORMAT="json")
    with grpc.insecure_channel(process.address()) as channel:
        deadline = time.monotonic() + 60.0
        while not any("bad-" in line for line in process.lines):
            assert time.monotonic() < deadline, "".join(process.lines)
            time.sleep(0.05)
        health = health_pb2_grpc.HealthStub(channel)
        assert health.Check(health_pb2.HealthCheckRequest()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        with pytest.raises(grpc.RpcError) as caught:
            moderation_pb2_grpc.ModerationServiceStub(channel).Moderate(wire.ModerateRequest(image=b"clean"))
        assert b"MODELS_NOT_TRUSTED" in dict(caught.value.trailing_metadata())["grpc-status-details-bin"]
    process.send(signal.SIGTERM)
    assert process.wait() == 0
