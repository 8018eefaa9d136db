"""Recordings by shape, with a recorder that needs no CUDA device."""

import numpy as np
import pytest
import torch

from gatepost_server.engines.cuda_graphs import Graphs, filled_up
from gatepost_server.engines.net import NetFile
from gatepost_server.engines.torch_net import TorchNet
from gatepost_server.engines.weights import find_weights

RECOGNIZER = NetFile(find_weights("PP-OCRv6_small_rec").path, (127.5,) * 3, (127.5,) * 3, top1=True)


class Recording:
    """Records nothing, and remembers for which shapes it was asked and replayed."""

    def __init__(self):
        self.shapes, self.replayed = [], []

    def __call__(self, forward, example):
        self.shapes.append(tuple(example.shape))

        def replay(rows):
            self.replayed.append(tuple(rows.shape))
            return forward(rows)

        return replay


def doubled(rows):
    return (rows * 2,)


def test_a_shape_is_recorded_when_it_comes_again_and_replayed_from_then_on():
    recording = Recording()
    graphs = Graphs(doubled, record=recording)
    for expected in (0, 1, 2):
        (output,) = graphs(torch.ones(2, 3))
        assert output.tolist() == [[2.0] * 3] * 2
        assert len(recording.replayed) == expected
    assert recording.shapes == [(2, 3)]


def test_a_shape_that_came_once_is_not_recorded():
    recording = Recording()
    graphs = Graphs(doubled, record=recording)
    for width in range(1, 9):
        graphs(torch.ones(1, width))
    assert recording.shapes == []


def test_the_longest_unused_recording_is_forgotten():
    recording = Recording()
    graphs = Graphs(doubled, record=recording, most=1)
    for width in (3, 3, 4, 4, 3):
        graphs(torch.ones(1, width))
    assert recording.shapes == [(1, 3), (1, 4), (1, 3)]


@pytest.mark.parametrize(("count", "filled"), [(1, 1), (2, 2), (3, 4), (5, 8), (16, 16)])
def test_batches_are_filled_up_to_a_power_of_two(count, filled):
    rows = filled_up(torch.ones(count, 2, dtype=torch.uint8))
    assert rows.shape == (filled, 2)
    assert rows.sum() == 2 * count


def test_a_filled_up_batch_reads_as_its_crops_do_one_by_one():
    net = TorchNet(RECOGNIZER, device="cpu")
    crops = np.random.default_rng(5).integers(0, 256, (3, 6, 16, 3), dtype=np.uint8).repeat(8, axis=1).repeat(8, axis=2)
    recording = Recording()
    graphs = Graphs(net.forward, record=recording)
    with torch.inference_mode():
        graphs(torch.from_numpy(crops))
        classes, probabilities = graphs(torch.from_numpy(crops))
    assert recording.replayed == [(4, *crops.shape[1:])]
    for crop, row, sure in zip(crops, classes, probabilities, strict=True):
        alone, alone_sure = net.run(crop[None])
        assert np.array_equal(row, alone[0])
        assert np.abs(sure.numpy() - alone_sure[0]).max() < 1e-4


def test_graphs_on_the_cpu_are_refused():
    with pytest.raises(ValueError, match="CUDA"):
        TorchNet(RECOGNIZER, device="cpu", graphs=True)


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="f8"):
        TorchNet(RECOGNIZER, device="cpu", precision="f8")


def test_bfloat16_probabilities_stay_near_those_of_float32():
    crops = np.random.default_rng(5).integers(0, 256, (2, 6, 16, 3), dtype=np.uint8).repeat(8, axis=1).repeat(8, axis=2)
    _, exact = TorchNet(RECOGNIZER, device="cpu").run(crops)
    _, near = TorchNet(RECOGNIZER, device="cpu", precision="bf16").run(crops)
    assert 0 < np.abs(near - exact).max() < 0.2
