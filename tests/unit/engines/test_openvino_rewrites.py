"""A rewritten net is the same function in fewer passes."""

import numpy as np
import openvino as ov
import pytest
from openvino import opset13

from gatepost_server.engines.openvino_rewrites import rewritten
from gatepost_server.engines.weights import find_weights

RANDOM = np.random.default_rng(5)


def weights(*shape):
    return opset13.constant(RANDOM.normal(size=shape).astype(np.float32) / 3)


def input_map(channels=3):
    return opset13.parameter(ov.PartialShape([-1, channels, -1, -1]), np.float32)


def pointwise(x, out, into, step=1):
    return opset13.convolution(x, weights(out, into, 1, 1), [step, step], [0, 0], [0, 0], [1, 1])


def doubled(x, into, out, step=2):
    return opset13.convolution_backprop_data(x, weights(into, out, 2, 2), [step, step])


def detector_like(last_step=2):
    """Ends as a text detector does."""
    x = input_map()
    wide = opset13.relu(opset13.add(doubled(pointwise(x, 6, 3), 6, 5), weights(1, 5, 1, 1)))
    narrow = opset13.add(doubled(wide, 5, 1, last_step), weights(1, 1, 1, 1))
    return ov.Model([opset13.sigmoid(narrow)], [x])


def gated():
    """A pointwise convolution that is scaled by a look at its own mean, and added to itself."""
    x = input_map()
    y = pointwise(x, 6, 3)
    scale = opset13.sigmoid(pointwise(opset13.reduce_mean(y, opset13.constant([2, 3]), True), 6, 6))
    return ov.Model([opset13.add(y, opset13.multiply(y, scale))], [x])


def joined():
    """A convolution with margins and steps over two joined maps."""
    x = input_map()
    both = opset13.concat([pointwise(x, 4, 3), pointwise(x, 2, 3)], 1)
    return ov.Model([opset13.convolution(both, weights(5, 6, 3, 3), [2, 2], [1, 1], [1, 1], [1, 1])], [x])


def answers(model, images):
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled([images])[0]


def kinds(model):
    return [node.get_type_name() for node in model.get_ordered_ops()]


@pytest.mark.parametrize(
    ("build", "gone"), [(detector_like, "ConvolutionBackpropData"), (joined, "Concat")], ids=["upsampling", "concat"]
)
def test_slow_operations_go_and_the_answers_stay(build, gone):
    net = build()
    copy = rewritten(net.clone())
    assert gone in kinds(net)
    assert gone not in kinds(copy)
    images = RANDOM.normal(size=(2, 3, 10, 14)).astype(np.float32)
    assert np.allclose(answers(copy, images), answers(net, images), atol=1e-5)


def test_a_scaled_map_is_added_to_itself_in_one_pass_and_averaged_before_it_grows():
    net = gated()
    copy = rewritten(net.clone())
    images = RANDOM.normal(size=(2, 3, 10, 14)).astype(np.float32)
    assert np.allclose(answers(copy, images), answers(net, images), atol=1e-5)
    (mean,) = [node for node in copy.get_ordered_ops() if node.get_type_name() == "ReduceMean"]
    assert mean.input_value(0).get_node().get_type_name() == "Parameter"
    assert copy.output(0).get_node().input_value(0).get_node().get_type_name() == "Multiply"


def test_upsampling_that_overlaps_is_left_as_it_is():
    net = detector_like(last_step=1)
    copy = rewritten(net.clone())
    assert kinds(copy) == kinds(net)


@pytest.mark.parametrize("name", ["PP-OCRv6_small_det", "PP-OCRv6_small_rec"])
def test_the_shipped_nets_answer_as_before(name):
    net = ov.Core().read_model(find_weights(name).path)
    images = RANDOM.normal(size=(1, 3, 48, 160)).astype(np.float32)
    images = images if name.endswith("rec") else images.repeat(4, axis=2)
    assert np.abs(answers(rewritten(net.clone()), images) - answers(net, images)).max() < 1e-4


def test_the_shipped_detector_loses_its_transposed_convolutions():
    copy = rewritten(ov.Core().read_model(find_weights("PP-OCRv6_small_det").path))
    assert "ConvolutionBackpropData" not in kinds(copy)
    assert copy.output(0).get_partial_shape()[1] == 1
