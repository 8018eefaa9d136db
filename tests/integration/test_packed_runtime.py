"""The part of Triton's runtime that is taken to another machine serves by itself."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import tritonclient.grpc as triton_grpc

from benchmarks.gpu.pack import runtime
from gatepost_server.serving.server import TritonServer

pytestmark = pytest.mark.integration


def strings(name, values):
    array = np.empty((1, len(values)), object)
    array[0, :] = values
    tensor = triton_grpc.InferInput(name, list(array.shape), "BYTES")
    tensor.set_data_from_numpy(array)
    return tensor


def test_a_model_answers_from_the_packed_runtime(tmp_path, tiny_settings, monkeypatch):
    packed = runtime(tmp_path, f"{sys.version_info.major}.{sys.version_info.minor}")
    assert sum(file.stat().st_size for file in packed.rglob("*")) < 110 * 2**20
    monkeypatch.syspath_prepend(packed)  # serving.runtime takes the first that it finds
    server = TritonServer(tiny_settings())
    try:
        server.wait_ready(threading.Event())
        mapped = Path(f"/proc/{server.pid}/maps").read_text()
        assert str(packed / "pytriton") in mapped
        assert "site-packages/nvidia_pytriton.libs" not in mapped
        inputs = [strings("IMAGE", [b"an image"]), strings("EXPECTED", [])]
        answer = triton_grpc.InferenceServerClient(server.grpc_address).infer("moderate", inputs)
        assert answer.as_numpy("SCORES").shape[0] == 1
    finally:
        server.stop()


def test_a_python_that_the_wheel_has_no_stub_for_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        runtime(tmp_path, "2.7")
