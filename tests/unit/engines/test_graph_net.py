"""Nets of float inputs: both engines answer alike, int8 matrices are expanded, broken files are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from gatepost_server.engines.graph_net import open_graph

WEIGHTS = np.array([[1, -2], [3, 4], [-5, 60]], np.int8)
SCALES = np.array([0.5, 0.25], np.float32)


@pytest.fixture
def doubled(tmp_path: Path) -> Path:
    """A net that multiplies rows (n, 3) with an int8 matrix (3, 2) of a scale a column."""
    constants = {"small": WEIGHTS, "scales": SCALES, "zeros": np.zeros(2, np.int8)}
    graph = helper.make_graph(
        [
            helper.make_node("DequantizeLinear", ["small", "scales", "zeros"], ["matrix"], axis=1),
            helper.make_node("MatMul", ["rows", "matrix"], ["out"]),
        ],
        "net",
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["n", 3])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", 2])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, str(tmp_path / "net.onnx"))
    return tmp_path / "net.onnx"


@pytest.mark.parametrize("engine", ["auto", "openvino", "onnxruntime"])
@pytest.mark.parametrize("rows", [1, 5])
def test_int8_matrices_multiply_as_what_they_stand_for(doubled: Path, engine: str, rows: int) -> None:
    inputs = np.random.default_rng(rows).normal(size=(rows, 3)).astype(np.float32)
    found = open_graph(doubled, engine=engine, precision="f32")({"rows": inputs})
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, inputs @ (WEIGHTS * SCALES), rtol=1e-4, atol=1e-4)


def test_an_answer_stays_what_it_was_when_the_net_is_asked_again(doubled: Path) -> None:
    net = open_graph(doubled)
    first = net({"rows": np.ones((1, 3), np.float32)})
    before = first.copy()
    net({"rows": np.full((1, 3), 9.0, np.float32)})
    assert (first == before).all()


def test_an_unknown_engine_is_refused(doubled: Path) -> None:
    with pytest.raises(ValueError, match="engine must be one of"):
        open_graph(doubled, engine="abacus")


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_graph(tmp_path / "none.onnx")


def test_a_file_cut_short_is_no_net(doubled: Path) -> None:
    doubled.write_bytes(doubled.read_bytes()[:40])
    with pytest.raises(ValueError, match="no ONNX net"):
        open_graph(doubled)
