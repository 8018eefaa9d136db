"""Depthwise convolutions that stay as they are, with a quick gradient towards their input.

torch's own gradients of such layers take five sixths of a training step on a CPU. Their kernels hold one
part in fifty of the late stages' weights, so they are left as ImageNet made them.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F


def freeze(module: torch.nn.Module) -> None:
    """Freezes every depthwise layer inside `module`; what they compute stays the same."""
    for layer in _layers(module):
        layer.requires_grad_(False)
        layer.forward = _Forward(layer)


def kernels(module: torch.nn.Module) -> set[int]:
    """The ids of all depthwise kernels inside `module`."""
    return {id(layer.weight) for layer in _layers(module)}


def _layers(module: torch.nn.Module) -> list[torch.nn.Conv2d]:
    convolutions = [part for part in module.modules() if isinstance(part, torch.nn.Conv2d)]
    return [layer for layer in convolutions if layer.groups == layer.in_channels > 1]


class _Forward:
    """A layer's forward: padding as the layer, or TensorFlow's "same", wants it, then the convolution."""

    def __init__(self, layer: torch.nn.Conv2d) -> None:
        self._layer = layer
        self._same = type(layer).__name__ == "Conv2dSame"  # timm's: pads by the size of what comes in

    def __call__(self, hidden: torch.Tensor) -> torch.Tensor:
        layer = self._layer
        kernel, stride = layer.kernel_size[0], layer.stride[0]
        before = after = int(layer.padding[0])
        if self._same:
            side = hidden.shape[-1]
            total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
            before, after = total // 2, total - total // 2
        found: torch.Tensor = _Depthwise.apply(F.pad(hidden, (before, after) * 2), layer.weight, stride)
        return found


class _Depthwise(torch.autograd.Function):
    """Square, unpadded and without bias: [N, C, H, W], [C, 1, k, k] -> [N, C, (H - k) // stride + 1, ...]."""

    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, stride: int) -> torch.Tensor:
        weight = weight.to(hidden.dtype)
        ctx.save_for_backward(weight)
        ctx.side, ctx.stride = hidden.shape[-1], stride
        return F.conv2d(hidden, weight, stride=stride, groups=hidden.shape[1])

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, None, None]:
        if not ctx.needs_input_grad[0]:
            return None, None, None
        (weight,) = ctx.saved_tensors
        kernel, reach = weight.shape[-1], (grad.shape[-1] - 1) * ctx.stride + 1
        if ctx.stride > 1:  # a transposed convolution is a plain one over the gradient with zeros between
            wide = grad.new_zeros(*grad.shape[:2], reach, reach).contiguous(memory_format=torch.channels_last)
            wide[:, :, :: ctx.stride, :: ctx.stride] = grad
            grad = wide
        before, after = kernel - 1, ctx.side - reach
        padded = F.pad(grad, (before, after) * 2)
        return F.conv2d(padded, weight.flip(-1, -2), groups=weight.shape[0]), None, None
