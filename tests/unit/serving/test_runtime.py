"""The layout of the bundled tritonserver."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gatepost_server.serving import runtime
from gatepost_server.serving.runtime import RuntimeMissingError, assemble


def test_every_part_is_where_triton_looks_for_it(tmp_path):
    assembled = assemble(tmp_path)
    assert os.access(assembled.executable, os.X_OK)
    for part in ("libtriton_python.so", "triton_python_backend_utils.py", "triton_python_backend_stub"):
        assert (assembled.backends / "python" / part).is_file()
    assert (assembled.caches / "local" / "libtritoncache_local.so").is_file()


def test_this_environment_s_python_comes_first_on_the_path(tmp_path):
    assert assemble(tmp_path).path.split(os.pathsep)[0] == str(Path(sys.executable).parent)


def test_a_second_call_finds_what_the_first_one_built(tmp_path):
    first = assemble(tmp_path)
    built = first.executable.lstat().st_ino
    assert assemble(tmp_path) == first
    assert first.executable.lstat().st_ino == built


def test_many_processes_at_once_get_one_whole_runtime(tmp_path):
    code = (
        "import sys; from pathlib import Path; from gatepost_server.serving.runtime import assemble;"
        "print(assemble(Path(sys.argv[1])).executable.resolve(strict=True))"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    found = {process.communicate(timeout=60)[0] for process in processes}
    assert [process.returncode for process in processes] == [0] * 4
    assert len(found) == 1
    assert len(list(tmp_path.iterdir())) == 1  # no half-built folders are left


def test_without_the_wheel_the_error_says_what_to_install(tmp_path, monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(runtime.importlib.metadata, "distribution", missing)
    with pytest.raises(RuntimeMissingError, match="pip install nvidia-pytriton"):
        assemble(tmp_path)


def test_a_python_that_the_wheel_has_no_stub_for_is_named(tmp_path, monkeypatch):
    class Version:
        major, minor = 3, 99

    monkeypatch.setattr(runtime.sys, "version_info", Version)
    with pytest.raises(RuntimeMissingError, match=r"no triton_python_backend_stub for Python 3\.99"):
        assemble(tmp_path)
