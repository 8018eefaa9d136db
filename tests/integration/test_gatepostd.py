"""gatepostd as a process tree, over models without nets."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import grpc
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

pytestmark = pytest.mark.integration


class Daemon:
    """One gatepostd with its own ready file and log."""

    def __init__(self, folder, *arguments, environment):
        self.ready_file, self.log_file = folder / "ready.json", folder / "log"
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gatepost_server.cli", *arguments, "--ready-file", str(self.ready_file)],
                stdout=log,
                stderr=log,
                env={**os.environ, "GATEPOST_LOG_FORMAT": "json", **environment},
            )

    def wait_for(self, condition, seconds=90.0):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.log_file.read_text()
            time.sleep(0.02)

    def ready(self):
        self.wait_for(lambda: self.ready_file.exists() or self.process.poll() is not None)
        assert self.ready_file.exists(), self.log_file.read_text()
        return json.loads(self.ready_file.read_text())

    def family(self):
        return psutil.Process(self.process.pid).children(recursive=True)

    def triton(self):
        (server,) = [each for each in self.family() if Path(each.cmdline()[0]).name == "tritonserver"]
        return server

    def events(self):
        lines = self.log_file.read_text().splitlines()
        return [json.loads(line)["event"] for line in lines if line.startswith("{")]

    def ends_with(self, code):
        assert self.process.wait(90) == code, self.log_file.read_text()


@pytest.fixture
def daemon(tmp_path, tiny_settings):
    """Starts gatepostd over the tiny repository; kills what a failed test left behind."""
    started = []

    def start(*arguments, **environment):
        settings = tiny_settings()
        environment = {
            "GATEPOST_TRITON_REPOSITORY": str(settings.repository),
            "GATEPOST_TRITON_CACHE": str(settings.cache),
            "GATEPOST_STATE": str(tmp_path / "state"),
            "GATEPOST_GATEWAY_CANARY_INTERVAL_S": "0",  # models without nets cannot read cards
            **environment,
        }
        started.append(Daemon(tmp_path, *arguments, environment=environment))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.wait()


def health(address):
    with grpc.insecure_channel(address) as channel:
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


def gone(processes):
    return not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in processes)


def test_up_serves_both_parts_and_stops_the_gateway_before_triton(daemon, tmp_path):
    up = daemon("up", "--port", "0")
    ready = up.ready()
    assert ready["pid"] == up.process.pid
    assert health(ready["grpc"]) == "SERVING"
    assert f"gatepost is ready: grpc on {ready['grpc']}" in up.log_file.read_text()
    assert stat.S_IMODE((tmp_path / "state" / "image-key").stat().st_mode) == 0o600
    assert "images_not_kept" not in up.events()
    with urllib.request.urlopen(f"{ready['console']}/sign-in", timeout=60) as page:
        assert b"gatepostd console user add" in page.read()
    family = up.family()
    assert len(family) == 3  # tritonserver and two stubs

    up.process.send_signal(signal.SIGTERM)
    up.ends_with(0)
    events = up.events()
    assert events.index("draining") < events.index("stopped") < events.index("triton.stopped")
    assert gone(family)


def test_a_killed_gatepostd_leaves_nothing_running(daemon):
    up = daemon("up", "--port", "0")
    up.ready()
    family = up.family()
    up.process.kill()
    up.wait_for(lambda: gone(family))


def test_triton_dying_is_survived(daemon):
    up = daemon("up", "--port", "0")
    ready = up.ready()
    up.triton().kill()
    up.wait_for(lambda: up.events().count("triton.ready") == 2)
    up.wait_for(lambda: health(ready["grpc"]) == "SERVING")
    up.process.send_signal(signal.SIGTERM)
    up.ends_with(0)


def test_triton_dying_for_good_drains_the_gateway_and_fails(daemon):
    up = daemon("up", "--port", "0", GATEPOST_TRITON_RESTART_BACKOFF_S="[]")
    up.ready()
    up.triton().kill()
    up.ends_with(1)
    assert "stopped" in up.events()
    assert "gatepostd: tritonserver ended and did not come back" in up.log_file.read_text()


def test_a_gateway_that_cannot_listen_takes_triton_down_with_it(daemon):
    first = daemon("up", "--port", "0")
    port = first.ready()["grpc"].rpartition(":")[2]
    second = daemon("up", "--port", port)
    second.ends_with(1)
    assert "gatepostd: cannot listen on" in second.log_file.read_text()
    events = second.events()
    assert "triton.ready" not in events or "triton.stopped" in events  # whichever of the two was faster


def test_a_model_that_does_not_load_is_named(daemon, tmp_path):
    broken = tmp_path / "repository" / "decode"
    (broken / "1").mkdir(parents=True)
    (broken / "1" / "model.py").write_text("import no_such_package\n")
    (broken / "config.pbtxt").write_text('name: "decode"\nbackend: "python"\nmax_batch_size: 8\n')
    up = daemon(
        "up",
        "--port",
        "0",
        GATEPOST_TRITON_REPOSITORY=str(broken.parent),
        GATEPOST_TRITON_LOG_FILE=str(tmp_path / "triton.log"),
    )
    up.ends_with(1)
    assert not up.ready_file.exists()
    assert "failed to load 'decode'" in up.log_file.read_text()
    assert "no_such_package" in up.log_file.read_text()


def test_sigterm_while_the_models_load_ends_it_cleanly(daemon):
    up = daemon("up", "--port", "0")
    up.wait_for(lambda: "triton.starting" in up.events())
    up.process.send_signal(signal.SIGTERM)
    up.ends_with(0)
    assert not up.ready_file.exists()


def test_gateway_and_triton_run_apart(daemon):
    triton = daemon(
        "triton",
        GATEPOST_TRITON_GRPC_PORT="18101",
        GATEPOST_TRITON_HTTP_PORT="18100",
        GATEPOST_TRITON_METRICS_PORT="18102",
    )
    assert triton.ready()["triton"] == "127.0.0.1:18101"
    triton.ready_file.unlink()
    gateway = daemon("gateway", "--port", "0", GATEPOST_GATEWAY_TRITON="127.0.0.1:18101")
    address = gateway.ready()["grpc"]
    gateway.wait_for(lambda: health(address) == "SERVING")
    triton.process.send_signal(signal.SIGINT)
    triton.ends_with(0)
    gateway.wait_for(lambda: health(address) == "NOT_SERVING")
    gateway.process.send_signal(signal.SIGTERM)
    gateway.ends_with(0)
