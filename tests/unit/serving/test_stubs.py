"""Finding a server's stubs among the processes of the host."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from gatepost_server.serving.stubs import find_stubs, is_running


@pytest.fixture
def start(tmp_path):
    """Starts a child that looks like a stub (or, by another name, does not)."""
    started = []

    def run(model, name="triton_python_backend_stub"):
        program = tmp_path / name
        if not program.exists():
            shutil.copy(shutil.which("tail"), program)
        script = tmp_path / "repository (1)" / model / "1" / "model.py"
        script.parent.mkdir(parents=True, exist_ok=True)
        script.touch()
        started.append(subprocess.Popen([program, script, "-f"], stdout=subprocess.DEVNULL))
        return started[-1]

    yield run
    for each in started:
        each.kill()
        each.wait()


def test_stubs_are_found_by_their_parent_and_named_by_their_model(start):
    clip, decode = start("clip"), start("decode")
    start("clip", name="something-else")
    assert find_stubs(os.getpid()) == {clip.pid: "clip", decode.pid: "decode"}
    assert find_stubs(os.getppid()) == {}


def test_a_stub_that_died_and_was_not_collected_is_not_running(start):
    stub = start("clip")
    assert is_running(stub.pid, os.getpid())
    stub.kill()
    os.waitid(os.P_PID, stub.pid, os.WEXITED | os.WNOWAIT)  # dead, but left as a zombie
    assert not is_running(stub.pid, os.getpid())
    assert find_stubs(os.getpid()) == {}


def test_a_process_id_that_came_round_to_another_s_child_is_not_ours(start):
    stub = start("clip")
    assert not is_running(stub.pid, os.getpid() + 1)
    assert not is_running(2**22 + 1, os.getpid())  # beyond the largest process id
