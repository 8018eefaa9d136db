"""Three engines, one answer."""

import numpy as np
import pytest

from gatepost_server.engines.net import NetFile, scaled
from gatepost_server.engines.onnxruntime_net import OnnxRuntimeNet
from gatepost_server.engines.openvino_net import OpenVinoNet
from gatepost_server.engines.torch_net import TorchNet
from gatepost_server.engines.weights import find_weights

DETECTOR = NetFile(find_weights("PP-OCRv6_small_det").path, (123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
RECOGNIZER = NetFile(find_weights("PP-OCRv6_small_rec").path, (127.5,) * 3, (127.5,) * 3, top1=True)


def opened(engine, file):
    if engine == "torch":
        return TorchNet(file, device="cpu")
    return OpenVinoNet(file, precision=engine.removeprefix("openvino-"))


def stripes(*shape):
    """Images with something on them: random blocks of 8 pixels."""
    count, height, width = shape
    blocks = np.random.default_rng(3).integers(0, 256, (count, height // 8, width // 8, 3), dtype=np.uint8)
    return blocks.repeat(8, axis=1).repeat(8, axis=2)


@pytest.mark.parametrize(("engine", "tolerance"), [("openvino-f32", 1e-3), ("openvino-bf16", 0.12), ("torch", 1e-3)])
@pytest.mark.parametrize("shape", [(1, 96, 160), (2, 160, 96)])
def test_engines_agree_on_where_text_is(engine, tolerance, shape):
    images = stripes(*shape)
    (expected,) = OnnxRuntimeNet(DETECTOR).run(images)
    (maps,) = opened(engine, DETECTOR).run(images)
    assert maps.shape == expected.shape == (shape[0], 1, *shape[1:])
    assert np.abs(maps - expected).max() < tolerance


@pytest.mark.parametrize(("engine", "tolerance"), [("openvino-f32", 1e-3), ("torch", 1e-3)])
def test_engines_agree_on_what_is_read(engine, tolerance):
    crops = stripes(3, 48, 200)
    classes, probabilities = OnnxRuntimeNet(RECOGNIZER).run(crops)
    other_classes, other_probabilities = opened(engine, RECOGNIZER).run(crops)
    assert classes.dtype == other_classes.dtype == np.int32
    assert np.array_equal(classes, other_classes)
    assert np.abs(probabilities - other_probabilities).max() < tolerance


@pytest.mark.parametrize("engine", ["openvino-f32", "openvino-bf16", "torch"])
def test_answers_stay_what_they_were_when_the_net_runs_again(engine):
    net = opened(engine, DETECTOR)
    (first,) = net.run(stripes(1, 96, 96))
    kept = first.copy()
    net.run(np.zeros((1, 96, 96, 3), dtype=np.uint8))
    assert np.array_equal(first, kept)


def test_scaling_lays_channels_first_and_centres_them():
    images = np.array([[[[10, 20, 30]]]], dtype=np.uint8)
    file = NetFile(DETECTOR.path, (10.0, 10.0, 10.0), (1.0, 2.0, 4.0))
    assert np.array_equal(scaled(images, file), np.array([[[[0.0]], [[5.0]], [[5.0]]]], dtype=np.float32))


@pytest.mark.parametrize("engine", ["openvino-f32", "torch"])
def test_every_engine_takes_the_size_that_pictures_are_to_be_seen_at(engine):
    images, size = stripes(2, 96, 160), (128, 96)
    (expected,) = OnnxRuntimeNet(DETECTOR).run(images, size)
    (maps,) = opened(engine, DETECTOR).run(images, size)
    assert maps.shape == expected.shape == (2, 1, *size)
    assert np.abs(maps - expected).max() < 1e-3


def test_a_batch_is_seen_as_its_pictures_are_one_by_one():
    net, images = TorchNet(DETECTOR, device="cpu"), stripes(3, 96, 96)
    (together,) = net.run(images)
    for image, seen in zip(images, together, strict=True):
        assert np.abs(net.run(image[None])[0][0] - seen).max() < 1e-4


@pytest.mark.parametrize(
    ("file", "shapes"), [(DETECTOR, ((2, 64, 96), (3, 96, 64))), (RECOGNIZER, ((2, 48, 96), (3, 48, 160)))]
)
def test_a_compiled_net_sees_what_it_sees_otherwise_and_is_compiled_once_for_all_sizes(file, shapes):
    """In one piece, too: what a compiler cannot take in would make a device wait, and could not be recorded."""
    compilations = []

    def compiler(graph, _inputs):
        compilations.append(graph)
        return graph.forward

    plain, compiled = TorchNet(file, device="cpu"), TorchNet(file, device="cpu", compiler=compiler)
    for shape in shapes:
        for expected, got in zip(plain.run(stripes(*shape)), compiled.run(stripes(*shape)), strict=True):
            assert got.dtype == expected.dtype
            assert np.abs(got - expected).max() < 1e-3
    assert len(compilations) == 1
