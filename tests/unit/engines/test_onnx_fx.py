"""Single ONNX operators, each held against onnxruntime."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from gatepost_server.engines.onnx_fx import UnsupportedOperatorError, module_from_onnx


def written(path, nodes, *, weights=None, channels=4):
    """A net of `nodes` from x (N, channels, H, W) to y, opset 11 as the PP-OCR nets."""
    shape = ["n", channels, "h", "w"]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8), path)
    return path


def node(kind, *inputs, outputs=("y",), **attributes):
    return helper.make_node(kind, inputs, outputs, **attributes)


RNG = np.random.default_rng(5)
KERNEL = RNG.standard_normal((6, 4, 3, 2), dtype=np.float32)
BIAS = RNG.standard_normal(6, dtype=np.float32)
NO_REGION = np.zeros(0, dtype=np.float32)  # opset 11 wants the input, and this is how exporters fill it
CASES = {
    "uneven padding": ([node("Conv", "x", "k", "b", kernel_shape=[3, 2], pads=[1, 0, 0, 1])], {"k": KERNEL, "b": BIAS}),
    "same-upper padding": ([node("Conv", "x", "k", kernel_shape=[3, 2], auto_pad="SAME_UPPER")], {"k": KERNEL}),
    "strided convolution": ([node("Conv", "x", "k", strides=[2, 1], pads=[1, 1, 1, 1])], {"k": KERNEL}),
    "transposed convolution": (
        [node("ConvTranspose", "x", "k", kernel_shape=[2, 2], strides=[2, 2])],
        {"k": KERNEL.reshape(4, 6, 3, 2)[:, :, :2]},
    ),
    "max pooling with ceiling": ([node("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)], {}),
    "max pooling, uneven": ([node("MaxPool", "x", kernel_shape=[2, 2], pads=[0, 0, 1, 1])], {}),
    "average pooling": ([node("AveragePool", "x", kernel_shape=[3, 2], strides=[3, 2])], {}),
    "nearest resize": (
        [
            node(
                "Resize",
                "x",
                "roi",
                "s",
                mode="nearest",
                coordinate_transformation_mode="asymmetric",
                nearest_mode="floor",
            )
        ],
        {"roi": NO_REGION, "s": np.array([1, 1, 2, 4], dtype=np.float32)},
    ),
    "bilinear resize": (
        [node("Resize", "x", "roi", "s", mode="linear", coordinate_transformation_mode="half_pixel")],
        {"roi": NO_REGION, "s": np.array([1, 1, 2, 2], dtype=np.float32)},
    ),
    "hard sigmoid": ([node("HardSigmoid", "x", alpha=0.25, beta=0.4)], {}),
    "mean over an axis": ([node("ReduceMean", "x", axes=[2], keepdims=0)], {}),
    "global pooling": ([node("GlobalAveragePool", "x")], {}),
    "softmax": ([node("Softmax", "x", axis=3)], {}),
    "slicing": (
        [node("Slice", "x", "from", "to", "axes")],
        {"from": np.array([1, -5]), "to": np.array([3, 2**31]), "axes": np.array([1, 3])},
    ),
    "a batch size that is read from a shape": (
        [
            node("Shape", "x", outputs=["shape"]),
            node("Slice", "shape", "zero", "one", outputs=["head"]),
            node("Concat", "head", "rest", outputs=["target"], axis=0),
            node("Reshape", "x", "target"),
        ],
        {"zero": np.array([0]), "one": np.array([1]), "rest": np.array([4, -1])},
    ),
    "transposing": ([node("Transpose", "x", perm=[0, 2, 3, 1])], {}),
    "squeezing what was unsqueezed": (
        [node("Unsqueeze", "x", outputs=["wide"], axes=[1]), node("Squeeze", "wide", axes=[1])],
        {},
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("shape", [(1, 4, 9, 11), (3, 4, 12, 7)])
def test_an_operator_computes_what_onnxruntime_computes(tmp_path, case, shape):
    nodes, weights = CASES[case]
    path = written(tmp_path / "net.onnx", nodes, weights=weights)
    x = RNG.standard_normal(shape, dtype=np.float32)
    (expected,) = ort.InferenceSession(str(path)).run(None, {"x": x})
    with torch.inference_mode():
        result = module_from_onnx(path)(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)


def test_every_missing_operator_is_named(tmp_path):
    path = written(tmp_path / "net.onnx", [node("Det", "x", outputs=["d"]), node("Cosh", "d")])
    with pytest.raises(UnsupportedOperatorError, match="Cosh, Det"):
        module_from_onnx(path)


def test_weights_move_with_the_module(tmp_path):
    nodes, weights = CASES["uneven padding"]
    module = module_from_onnx(written(tmp_path / "net.onnx", nodes, weights=weights))
    assert {buffer.dtype for buffer in module.half().buffers()} == {torch.float16}
