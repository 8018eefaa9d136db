"""tritonserver's command line and environment, and what is said when it does not start."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from gatepost_server.serving import server, shared_memory
from gatepost_server.serving.repository import RepositoryError
from gatepost_server.serving.runtime import Runtime
from gatepost_server.serving.server import StoppedError, TritonFailedError, TritonServer
from gatepost_server.serving.settings import TritonSettings

LOG = """I1122 13:27:39.411353 7812 model_lifecycle.cc:472] "loading: decode:1"
E1122 13:27:40.077612 7812 model_lifecycle.cc:642] "failed to load 'decode' version 1: Internal: no weights"
+---------+
| a table |
+---------+
error: creating server: Internal - failed to load all models
"""


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "repository" / "decode").mkdir(parents=True)
    (tmp_path / "shm").mkdir()
    return TritonSettings(
        repository=tmp_path / "repository",
        cache=tmp_path / "cache",
        log_file=tmp_path / "triton.log",
        ready_timeout_s=0.5,
        stop_timeout_s=2,
    )


@pytest.fixture
def start(settings, monkeypatch, tmp_path):
    """Starts a shell script in tritonserver's place; whatever it was given, it is stopped at the end."""
    started = []
    monkeypatch.setattr(shared_memory.SharedMemory.__init__, "__defaults__", (tmp_path / "shm",))
    monkeypatch.setattr(shared_memory.remove_leaked, "__defaults__", (tmp_path / "shm",))

    def run(script, **changed):
        executable = tmp_path / "tritonserver"
        executable.write_text(f"#!/bin/sh\n{script}\n")
        executable.chmod(0o755)
        runtime = Runtime(executable, Path("/backends"), Path("/caches"), os.defpath, "/libraries")
        monkeypatch.setattr(server, "assemble", lambda cache: runtime)
        values = {name: getattr(settings, name) for name in settings.__slots__}
        started.append(TritonServer(TritonSettings(**{**values, **changed})))
        return started[-1]

    yield run
    for each in started:
        each.stop()


def test_a_model_that_does_not_load_is_named_in_the_error(start, settings):
    settings.log_file.write_text("E1122 an error of another day\n")
    triton = start(f"cat <<'END'\n{LOG}END\nexit 1")
    with pytest.raises(TritonFailedError) as failure:
        triton.wait_ready(threading.Event())
    message = str(failure.value)
    assert "ended with 1 before it was ready" in message
    assert "failed to load 'decode' version 1: Internal: no weights" in message
    assert "a table" not in message
    assert "another day" not in message


def test_a_server_that_never_gets_ready_is_given_up(start):
    with pytest.raises(TritonFailedError, match=r"not ready after 0\.5 s"):
        start("sleep 60").wait_ready(threading.Event())


def test_a_stop_is_heard_while_the_server_is_starting(start):
    stop = threading.Event()
    stop.set()
    with pytest.raises(StoppedError):
        start("sleep 60").wait_ready(stop)


def test_a_server_that_ignores_sigterm_is_killed(start):
    triton = start("trap '' TERM; echo up; while :; do sleep 0.1; done", stop_timeout_s=0.3)
    while "up" not in triton._settings.log_file.read_text():
        threading.Event().wait(0.01)
    triton.stop()
    assert triton.exit_code() == -9


def test_after_a_stop_no_file_of_the_server_is_left(start, tmp_path):
    triton = start("sleep 60")
    assert list((tmp_path / "shm").iterdir())
    folder = triton._folder
    triton.stop()
    assert not list((tmp_path / "shm").iterdir())
    assert not folder.exists()


def test_it_listens_on_this_host_only_and_where_it_says(start):
    triton = start('for word in "$@"; do echo "$word"; done')
    triton._process.wait()
    arguments = triton._settings.log_file.read_text().splitlines()
    host, port = triton.grpc_address.split(":")
    assert host == "127.0.0.1"
    for name in ("grpc", "http", "metrics"):
        assert f"--{name}-address=127.0.0.1" in arguments
    ports = {
        name: next(a for a in arguments if a.startswith(f"--{name}-port=")) for name in ("grpc", "http", "metrics")
    }
    assert ports["grpc"] == f"--grpc-port={port}"
    assert len({value.split("=")[1] for value in ports.values()}) == 3


def test_the_gateway_s_settings_stay_with_the_gateway(start, monkeypatch):
    monkeypatch.setenv("GATEPOST_TICKETS__KEY", "secret")
    monkeypatch.setenv("GATEPOST_MODEL_DEVICE", "cpu")
    monkeypatch.setenv("HOME", "/home/me")
    triton = start("env", parameters={"clip_side": "224"})
    triton._process.wait()
    environment = triton._settings.log_file.read_text().splitlines()
    assert "GATEPOST_MODEL_DEVICE=cpu" in environment
    assert "GATEPOST_MODEL_CLIP_SIDE=224" in environment
    assert "HOME=/home/me" in environment
    assert f"PATH={os.defpath}" in environment
    assert "LD_LIBRARY_PATH=/libraries" in environment
    assert not any("secret" in line for line in environment)


def test_settings_that_make_no_sense_leave_nothing_behind(start, tmp_path):
    with pytest.raises(RepositoryError, match="no model named lunch"):
        start("sleep 60", instances={"lunch": 1})
    assert not list((tmp_path / "shm").iterdir())
