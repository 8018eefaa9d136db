"""Fixtures that more than one folder of tests uses."""

from __future__ import annotations

import contextlib
import sys
import threading
from pathlib import Path

import hypothesis
import pytest
import structlog

from gatepost_server.serving.server import TritonServer
from gatepost_server.serving.settings import TritonSettings
from tests.postgres import postgres, postgres_url
from tests.signal_stack import disable_alternate_signal_stack

# A busy machine is no failure: no example has a time limit of its own.
hypothesis.settings.register_profile("gatepost", deadline=None)
hypothesis.settings.load_profile("gatepost")

__all__ = ["postgres", "postgres_url"]  # fixtures for everybody

TESTS = Path(__file__).parent
MODEL_REPOSITORY = TESTS.parent / "model_repository"
TINY_REPOSITORY = TESTS / "integration" / "tiny_repository"

# gatepost_server.serving.shell imports pb_utils, which only a stub has.
sys.path.insert(0, str(TESTS / "fakes"))


@pytest.fixture(autouse=True)
def logs_as_they_were():
    """A command that a test calls sets logs up for its process; the next test's are not its."""
    before = structlog.get_config()
    yield
    if structlog.get_config() != before:
        structlog.configure(**before)


def triton_settings(repository: Path, folder: Path, **more) -> TritonSettings:
    """Free ports, and everything that is written below `folder`."""
    return TritonSettings(repository=repository, cache=folder / "cache", log_file=folder / "triton.log", **more)


def running(settings: TritonSettings):
    """A ready tritonserver, stopped when the generator is closed."""
    server = TritonServer(settings)
    try:
        server.wait_ready(threading.Event())
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def triton(tmp_path_factory):
    """The real tritonserver with the real model repository; `grpc_address` is where it listens."""
    yield from running(triton_settings(MODEL_REPOSITORY, tmp_path_factory.mktemp("triton")))


@pytest.fixture(scope="session")
def tiny_settings(tmp_path_factory):
    """Makes settings of a tritonserver whose stages have no nets and misbehave on request."""

    def make(**changed) -> TritonSettings:
        return triton_settings(TINY_REPOSITORY, tmp_path_factory.mktemp("tiny"), **changed)

    return make


@pytest.fixture(scope="module")
def start_tiny_triton(tiny_settings):
    """Starts such servers, ready on return; stops them when the module's tests are done."""
    with contextlib.ExitStack() as servers:

        def start(**changed) -> TritonServer:
            return servers.enter_context(contextlib.contextmanager(running)(tiny_settings(**changed)))

        yield start


@pytest.fixture
def pb_utils():
    """The stand-in for a stub's pb_utils, with its classes in place."""
    import triton_python_backend_utils

    triton_python_backend_utils.attach()
    yield triton_python_backend_utils
    triton_python_backend_utils.detach()


@pytest.fixture(autouse=True)
def signals_find_a_stack():
    """Signals in this test do not land on what an earlier test's nets left behind."""
    disable_alternate_signal_stack()
