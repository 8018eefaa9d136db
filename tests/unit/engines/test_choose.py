"""Which engine runs a net."""

from pathlib import Path

import pytest

from gatepost_server.engines import choose
from gatepost_server.engines.net import NetFile
from gatepost_server.engines.weights import find_weights


@pytest.fixture(scope="module")
def file():
    return NetFile(find_weights("PP-OCRv6_small_det").path, (0.0,) * 3, (255.0,) * 3)


@pytest.mark.parametrize(
    ("wanted", "name"),
    [({}, "OpenVinoNet"), ({"engine": "onnxruntime"}, "OnnxRuntimeNet"), ({"engine": "torch"}, "TorchNet")],
)
def test_without_a_gpu_openvino_runs_unless_another_engine_is_asked_for(monkeypatch, file, wanted, name):
    monkeypatch.setattr(choose, "cuda_is_there", lambda: False)
    assert type(choose.open_net(file, **wanted)).__name__ == name


def test_onnxruntime_stands_in_where_openvino_is_not_installed(monkeypatch, file):
    monkeypatch.setattr(choose, "cuda_is_there", lambda: False)
    monkeypatch.setattr(choose, "find_spec", lambda name: None)
    assert type(choose.open_net(file)).__name__ == "OnnxRuntimeNet"


@pytest.mark.parametrize(
    "wanted",
    [{"engine": "tensorrt"}, {"device": "tpu"}, {"engine": "openvino", "device": "cuda"}, {"cuda_graphs": "yes"}],
)
def test_an_impossible_choice_is_refused(wanted):
    with pytest.raises(ValueError, match=r"engine|device|CUDA|cuda_graphs"):
        choose.open_net(NetFile(Path("unread.onnx"), (0.0,) * 3, (1.0,) * 3), **wanted)


def test_openvino_does_not_bring_torch_into_the_process():
    import subprocess
    import sys

    code = """
import sys
from gatepost_server.stages.ocr_detect import OcrDetect
from gatepost_server.stages.ocr_recognize import OcrRecognize
OcrDetect({"device": "cpu"}), OcrRecognize({"device": "cpu"})
sys.exit("torch" in sys.modules or "paddlex" in sys.modules or "rapidocr" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
