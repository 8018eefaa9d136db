"""No region outlives its server, and none is taken from a living one."""

from __future__ import annotations

import os
import subprocess
import sys

from gatepost_server.serving.shared_memory import SharedMemory, remove_leaked


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_every_server_has_a_prefix_of_its_own(tmp_path):
    one, other = SharedMemory(tmp_path), SharedMemory(tmp_path)
    assert one.prefix != other.prefix
    one.release()
    other.release()


def test_a_stopped_server_takes_its_regions_with_it_and_no_others(tmp_path):
    one, other = SharedMemory(tmp_path), SharedMemory(tmp_path)
    (tmp_path / f"{one.prefix}region").write_bytes(b"12345")
    (tmp_path / f"{other.prefix}region").write_bytes(b"1")
    (tmp_path / "somebody-else").write_bytes(b"1")
    assert one.remove() == 5
    assert names(tmp_path) == {f"{other.prefix}region", f"{other.prefix}.lock", "somebody-else"}
    one.release()
    other.release()


def test_regions_are_leaked_only_once_the_last_process_that_inherited_the_lock_is_gone(tmp_path):
    memory = SharedMemory(tmp_path)
    (tmp_path / f"{memory.prefix}region").write_bytes(b"12345")
    server = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[memory.lock])
    memory.release()
    assert remove_leaked(tmp_path) == {}
    assert f"{memory.prefix}region" in names(tmp_path)
    server.kill()
    server.communicate()
    assert remove_leaked(tmp_path) == {memory.prefix: 5}
    assert names(tmp_path) == set()


def test_a_lock_is_never_seen_unlocked(tmp_path, monkeypatch):
    seen = []
    rename = os.rename

    memory = None

    def spy(self, target):
        seen.append(remove_leaked(tmp_path))
        rename(self, target)

    monkeypatch.setattr("pathlib.Path.rename", spy)
    memory = SharedMemory(tmp_path)
    assert seen == [{}]
    assert names(tmp_path) == {f"{memory.prefix}.lock"}
    memory.release()
