"""Parts of CLIP's training recipe that nothing else would notice going wrong."""

import numpy as np
import pytest
import torch

from training.clip import depthwise
from training.clip.calibrate import line, platt
from training.clip.risk import CATEGORIES, RiskTable, held_out


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (5, 1), (5, 2)])
def test_a_frozen_depthwise_layer_computes_the_same_and_sends_the_same_gradient_back(kernel, stride):
    torch.manual_seed(kernel + stride)
    layer = torch.nn.Conv2d(6, 6, kernel, stride, padding=kernel // 2, groups=6, bias=False)
    seen, again = (torch.randn(2, 6, 11, 11, generator=torch.manual_seed(1)).requires_grad_() for _ in range(2))
    before = layer(seen)
    before.square().sum().backward()
    depthwise.freeze(torch.nn.Sequential(layer))
    after = layer(again)
    after.square().sum().backward()
    torch.testing.assert_close(after, before)
    torch.testing.assert_close(again.grad, seen.grad)
    assert not layer.weight.requires_grad


def test_what_is_held_out_is_no_risk_that_the_training_draws():
    table = RiskTable.load()
    assert table.of_emoji("1F5E1", "twemoji") == held_out("weapons")
    assert table.of_icon("plain-dagger") == held_out("weapons")
    assert held_out("weapons") not in CATEGORIES
    assert table.of_emoji("1F52A", "twemoji") == "weapons"


def test_a_line_moves_down_where_too_many_kind_cards_would_be_held():
    rng = np.random.default_rng(7)
    kind, risky = rng.normal(0, 1, 2000).astype(np.float32), rng.normal(2, 1, 2000).astype(np.float32)
    slope, intercept = line({"whole cards": kind}, risky)
    platts_slope, platts_intercept = platt(kind, risky)
    assert -intercept / slope > -platts_intercept / platts_slope
    assert (slope * kind + intercept >= 0).mean() <= 0.0025
