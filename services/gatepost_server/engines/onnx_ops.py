"""ONNX operators as torch functions, by the ONNX specification (github.com/onnx/onnx, docs/Operators.md).

Arguments are the node's inputs, keywords its attributes. Tensors of integers (shapes, axes) are Python
lists, so that a traced net keeps its dynamic sizes.
"""
# ruff: noqa: ARG001 - signatures are those of the specification, used in full or not

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from torch import Tensor

Ints = Sequence[int]


def conv(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    strides: Ints = (1, 1),
    pads: Ints | None = None,
    dilations: Ints = (1, 1),
    group: int = 1,
    auto_pad: str = "NOTSET",
    kernel_shape: Ints | None = None,
) -> Tensor:
    x, padding = _padded(x, tuple(weight.shape[2:]), strides, pads, auto_pad, 0.0)
    return F.conv2d(x, weight, bias, tuple(strides), padding, tuple(dilations), group)


def conv_transpose(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    strides: Ints = (1, 1),
    pads: Ints = (0, 0, 0, 0),
    dilations: Ints = (1, 1),
    group: int = 1,
    kernel_shape: Ints | None = None,
) -> Tensor:
    if tuple(pads[:2]) != tuple(pads[2:]):
        raise ValueError("ConvTranspose with uneven pads")
    return F.conv_transpose2d(x, weight, bias, tuple(strides), tuple(pads[:2]), 0, group, tuple(dilations))


def max_pool(
    x: Tensor,
    *,
    kernel_shape: Ints,
    strides: Ints = (1, 1),
    pads: Ints | None = None,
    ceil_mode: int = 0,
    auto_pad: str = "NOTSET",
) -> Tensor:
    x, padding = _padded(x, kernel_shape, strides, pads, auto_pad, -math.inf)
    return F.max_pool2d(x, tuple(kernel_shape), tuple(strides), padding, ceil_mode=bool(ceil_mode))


def average_pool(
    x: Tensor,
    *,
    kernel_shape: Ints,
    strides: Ints = (1, 1),
    pads: Ints = (0, 0, 0, 0),
    ceil_mode: int = 0,
    count_include_pad: int = 0,
) -> Tensor:
    if tuple(pads[:2]) != tuple(pads[2:]):
        raise ValueError("AveragePool with uneven pads")
    return F.avg_pool2d(
        x, tuple(kernel_shape), tuple(strides), tuple(pads[:2]), bool(ceil_mode), bool(count_include_pad)
    )


def resize(
    x: Tensor,
    roi: Tensor | None = None,
    scales: Sequence[float] | None = None,
    sizes: Ints | None = None,
    *,
    mode: str = "nearest",
    coordinate_transformation_mode: str = "half_pixel",
    nearest_mode: str = "round_prefer_floor",
) -> Tensor:
    """Nearest (asymmetric, by a whole factor) and bilinear, over height and width."""
    if sizes is not None:
        target = [int(size) for size in sizes[2:]]
    elif scales is not None:
        target = [int(side * scale) for side, scale in zip(x.shape[2:], scales[2:], strict=True)]
    else:
        raise ValueError("Resize without scales or sizes")
    if mode == "nearest":
        return F.interpolate(x, size=target, mode="nearest")
    aligned = coordinate_transformation_mode == "align_corners"
    return F.interpolate(x, size=target, mode="bilinear", align_corners=aligned)


def batch_normalization(
    x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, *, epsilon: float = 1e-5, **_: Any
) -> Tensor:
    return F.batch_norm(x, mean, variance, weight, bias, False, 0.0, epsilon)


def hard_sigmoid(x: Tensor, *, alpha: float = 0.2, beta: float = 0.5) -> Tensor:
    return torch.clamp(x * alpha + beta, 0.0, 1.0)


def softmax(x: Tensor, *, axis: int = -1) -> Tensor:
    return torch.softmax(x, axis)


def reduce_mean(x: Tensor, axes_input: Ints | None = None, *, axes: Ints = (), keepdims: int = 1) -> Tensor:
    return x.mean(dim=tuple(axes_input or axes), keepdim=bool(keepdims))


def global_average_pool(x: Tensor) -> Tensor:
    return x.mean((2, 3), keepdim=True)


def transpose(x: Tensor, *, perm: Ints) -> Tensor:
    return x.permute(tuple(perm))


def concat(*parts: Any, axis: int) -> Any:
    if isinstance(parts[0], Tensor):
        return torch.cat(parts, axis)
    return [size for part in parts for size in part]


def shape(x: Tensor) -> list[int]:
    return list(x.shape)


def slice_(x: Any, starts: Ints, ends: Ints, axes: Ints | None = None, steps: Ints | None = None) -> Any:
    steps = steps or [1] * len(starts)
    if not isinstance(x, Tensor):
        return x[starts[0] : ends[0] : steps[0]]
    where = [slice(None)] * x.dim()
    for start, end, axis, step in zip(starts, ends, axes or range(len(starts)), steps, strict=True):
        where[axis] = slice(start, end, step)
    return x[tuple(where)]


def reshape(x: Any, target: Ints) -> Any:
    if not isinstance(x, Tensor):
        return x if isinstance(x, list) else [x]
    return x.reshape([x.shape[i] if isinstance(size, int) and size == 0 else size for i, size in enumerate(target)])


def squeeze(x: Any, axes_input: Ints | None = None, *, axes: Ints = ()) -> Any:
    if not isinstance(x, Tensor):
        return x[0]
    return x.squeeze(tuple(axes_input or axes))


def unsqueeze(x: Any, axes_input: Ints | None = None, *, axes: Ints = ()) -> Any:
    if not isinstance(x, Tensor):
        return x if isinstance(x, list) else [x]
    for axis in sorted(axes_input or axes):
        x = x.unsqueeze(axis)
    return x


def _padded(
    x: Tensor, kernel: Ints, strides: Ints, pads: Ints | None, auto_pad: str, fill: float
) -> tuple[Tensor, tuple[int, int]]:
    """`x` padded as far as torch cannot do it itself, and the even padding left to torch."""
    if auto_pad == "SAME_UPPER":
        if any(stride != 1 for stride in strides):
            raise ValueError("SAME_UPPER with a stride")
        top, left = ((size - 1) // 2 for size in kernel)
        bottom, right = (size - 1 - (size - 1) // 2 for size in kernel)
    elif auto_pad in ("NOTSET", ""):
        top, left, bottom, right = pads or (0, 0, 0, 0)
    else:
        raise ValueError(f"auto_pad {auto_pad}")
    if (top, left) == (bottom, right):
        return x, (top, left)
    return F.pad(x, (left, right, top, bottom), value=fill), (0, 0)


OPERATORS: dict[str, Callable[..., Any]] = {
    "Add": torch.add,
    "AveragePool": average_pool,
    "BatchNormalization": batch_normalization,
    "Concat": concat,
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "Div": torch.div,
    "Erf": torch.erf,
    "GlobalAveragePool": global_average_pool,
    "HardSigmoid": hard_sigmoid,
    "MatMul": torch.matmul,
    "MaxPool": max_pool,
    "Mul": torch.mul,
    "Pow": torch.pow,
    "ReduceMean": reduce_mean,
    "Relu": F.relu,
    "Reshape": reshape,
    "Resize": resize,
    "Shape": shape,
    "Sigmoid": torch.sigmoid,
    "Slice": slice_,
    "Softmax": softmax,
    "Sqrt": torch.sqrt,
    "Squeeze": squeeze,
    "Sub": torch.sub,
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
}
