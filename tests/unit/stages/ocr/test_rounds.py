"""Searches that share the net's batches, with a net that needs no device."""

import threading

import numpy as np
import pytest

from gatepost_server.engines.net import sized
from gatepost_server.stages.ocr_detect import stage as module
from gatepost_server.stages.ocr_detect.rounds import Look, together
from gatepost_server.stages.ocr_detect.stage import OcrDetect

GENEROUS_S = 60.0  # for what takes milliseconds


class Net:
    """Says that pixels above 200 are text, and notes how many of which size it saw at a time."""

    def __init__(self, batch):
        self.batch = batch
        self.seen = []

    def run(self, images, size=None):
        images = sized(images, size)
        self.seen.append((len(images), *images.shape[1:3]))
        return [(images.min(axis=-1)[:, None] > 200).astype(np.float32)]


def bright(height, width):
    return np.full((height, width, 3), 255, dtype=np.uint8)


def looks_at(*sizes):
    """A search that looks at bright pictures of these sizes and returns how many bright pixels it was told of."""
    found = []
    for size in sizes:
        shown = yield Look(bright(*size))
        assert shown.shape == size
        found.append(int(shown.sum()))
    return found


def test_looks_of_one_size_go_together_and_every_search_gets_its_own_maps():
    net = Net(batch=8)
    searches = [looks_at((32, 64)), looks_at((64, 32), (32, 32)), looks_at((32, 64), (32, 32)), looks_at()]
    assert together(net, searches) == [[2048], [2048, 1024], [2048, 1024], []]
    assert net.seen[:2] == [(2, 32, 64), (1, 64, 32)]
    assert sum(count for count, *size in net.seen if size == [32, 32]) == 2


def test_no_batch_is_larger_than_the_net_wants():
    net = Net(batch=2)
    assert together(net, [looks_at((32, 32)) for _ in range(5)]) == [[1024]] * 5
    assert [count for count, *_ in net.seen] == [2, 2, 1]


def test_pictures_of_one_size_that_are_to_be_seen_at_another_are_scaled_where_the_net_lies():
    def search():
        return (yield Look(bright(64, 64), (32, 96))).shape

    net = Net(batch=4)
    assert together(net, [search(), search()]) == [(32, 96)] * 2
    assert net.seen == [(2, 32, 96)]


def test_what_has_its_map_goes_on_while_the_net_sees_the_next_batch():
    went_on = threading.Event()

    class SlowNet(Net):
        def run(self, images, size=None):
            if self.seen and not went_on.wait(GENEROUS_S):
                raise TimeoutError("nobody went on beside the second batch")
            return super().run(images, size)

    def search():
        yield Look(bright(32, 32))
        went_on.set()
        return True

    assert together(SlowNet(batch=1 + 1), [search() for _ in range(4)]) == [True] * 4


@pytest.mark.parametrize("batch", [1, 4])
def test_a_net_that_fails_fails_the_batch(batch):
    class BrokenNet(Net):
        def run(self, images, size=None):
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        together(BrokenNet(batch), [looks_at((32, 32)) for _ in range(3)])


def test_requests_together_get_what_each_gets_alone(monkeypatch):
    dice = np.random.default_rng(7)
    views = []
    for _ in range(6):
        view = np.zeros((1, 512, 768, 3), dtype=np.uint8)
        for x, y, height in zip(*dice.integers((40, 20, 8), (300, 440, 48), (5, 3)).T, strict=True):
            view[:, y : y + height, x : x + 320] = 255
        views.append({"OCR_PIXELS": view})

    def stage_with(net):
        monkeypatch.setattr(module, "open_net", lambda *_, **__: net)
        return OcrDetect({"side": "512", "first_side": "320", "contrast_side": "256"})

    one_by_one, batched = Net(batch=1), Net(batch=4)
    alone, shared = stage_with(one_by_one).run(views), stage_with(batched).run(views)
    assert sum(result.looked_at["lines"] for result in alone) >= 6
    for one, other in zip(alone, shared, strict=True):
        assert one.arrays.keys() == other.arrays.keys()
        assert all(np.array_equal(one.arrays[name], other.arrays[name]) for name in one.arrays)
    assert len(batched.seen) < len(one_by_one.seen) == sum(count for count, *_ in batched.seen)
