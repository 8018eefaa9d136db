"""What is taken to a machine with a GPU, and what is made of it there."""

import io
import subprocess
import tarfile
import zipfile

import pytest

from benchmarks.gpu.pack import LEFT_OUT, OURS, ROOTS, requirements
from benchmarks.gpu.unpack import unpack


def names(there=()):
    return {line.partition("==")[0] for line in requirements(ROOTS, there)}


def test_everything_that_the_gate_needs_is_pinned_as_it_is_here():
    import structlog

    assert f"structlog=={structlog.__version__}" in requirements(ROOTS, [])
    assert {"grpcio", "pydantic", "torch", "numpy", "open-clip-torch"} <= names()


def test_what_runs_nets_on_the_cpu_stays_here_with_all_that_only_it_needs():
    assert not names() & (LEFT_OUT | OURS)
    assert "modelscope" not in names()  # of paddlex


def test_what_the_other_machine_has_is_not_taken_along():
    assert "torch" in names()
    assert not names(there=["torch", "Open_CLIP.torch"]) & {"torch", "open-clip-torch", "ftfy"}


@pytest.fixture
def pack(tmp_path):
    """A runtime and a wheel, both of one file."""
    folder = tmp_path / "pack"
    folder.mkdir()
    with tarfile.open(folder / "runtime.tar.xz", "w:xz") as archive:
        entry = tarfile.TarInfo("pytriton/tritonserver/bin/tritonserver")
        entry.size = 3
        archive.addfile(entry, io.BytesIO(b"ELF"))
    with zipfile.ZipFile(folder / "structlog-99.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("structlog.py", "packed = True\n")
        wheel.writestr("structlog-99.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: structlog\nVersion: 99.0\n")
        wheel.writestr(
            "structlog-99.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("structlog-99.0.dist-info/RECORD", "")
    return folder


def test_the_environment_has_the_pack_before_what_is_there_and_our_sources(pack, tmp_path):
    python = unpack(pack, tmp_path / "environment")
    code = "import structlog, numpy, gatepost_server.domain, gatepost_client; print(structlog.packed, numpy.__file__)"
    said = subprocess.check_output([str(python), "-c", code], text=True, cwd=tmp_path)
    assert said.startswith("True ")
    assert str(tmp_path) not in said  # numpy is the other Python's
    assert list((tmp_path / "environment").rglob("tritonserver/bin/tritonserver"))


def test_a_pack_without_a_runtime_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        unpack(tmp_path, tmp_path / "environment")
