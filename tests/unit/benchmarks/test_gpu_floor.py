"""Counting of operations and bytes, and the floor that follows."""

import json

import torch

from benchmarks.gpu import floor
from benchmarks.gpu.ceilings import Ceilings
from benchmarks.gpu.counting import Work, work_of


def test_a_linear_layers_work_is_counted_as_it_is_by_hand():
    layer = torch.nn.Linear(8, 4, bias=False)
    work = work_of(layer, torch.ones(2, 8))
    assert work.flops == 2 * 2 * 8 * 4
    assert work.least_bytes == 4 * (2 * 8 + 8 * 4 + 2 * 4)


def test_attention_is_counted_with_all_its_products():
    class Own(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = torch.nn.MultiheadAttention(8, 2, batch_first=True).eval()

        def forward(self, x):
            return self.attention(x, x, x, need_weights=False)[0]

    tokens, width = 5, 8
    expected = 2 * tokens * width * (4 * width) + 2 * 2 * tokens * tokens * width
    assert work_of(Own(), torch.ones(1, tokens, width)).flops == expected


def test_what_fuses_nothing_moves_the_intermediates_as_well():
    layer = torch.nn.Sequential(torch.nn.Linear(8, 4, bias=False), torch.nn.ReLU())
    work = work_of(layer, torch.ones(2, 8))
    assert work.step_bytes == work.least_bytes + 4 * (2 * 4) * 2  # what the ReLU reads, and what the layer wrote for it


def test_the_floor_is_the_longer_of_arithmetic_and_movement():
    ceilings = Ceilings(flops=100.0, bytes=10.0)
    assert floor.floor_s(Work(flops=200, least_bytes=10, step_bytes=99), ceilings) == 2.0
    assert floor.floor_s(Work(flops=100, least_bytes=30, step_bytes=99), ceilings) == 3.0


def test_the_recogniser_is_measured_on_the_cpu_and_written_down(tmp_path):
    out = tmp_path / "floor.json"
    floor.main(["--device", "cpu", "--nets", "rec", "--batch", "1", "--out", str(out)])
    document = json.loads(out.read_text())
    assert [row["bucket"] for row in document["nets"]] == ["48x128", "48x320", "48x640"]
    flops = [row["flops"] for row in document["nets"]]
    assert flops == sorted(flops)
    assert all(row["floor_ms"] > 0 and row["step_bytes"] > row["least_bytes"] for row in document["nets"])
    assert {target["name"] for target in document["targets"]} >= {"matrix product", "copy"}
