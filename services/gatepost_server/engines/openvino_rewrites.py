"""The same net in fewer passes over memory: identities of algebra that OpenVINO does not apply by itself.

On a processor with AMX the multiplications of these nets are nearly free; what costs is reading and writing large maps,
and operations that leave the fast path (transposed convolutions run in float32, joining maps by the reference code).
Each rewrite keeps the function and leaves alone what does not look as expected, so that any net may be given.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13

Floats = NDArray[np.float32]

_PASSED = ("Identity", "Convert")  # nodes that change nothing that matters here


def rewritten(model: ov.Model) -> ov.Model:
    """`model` with every rewrite applied: the same outputs up to rounding. `model` itself is used up."""
    _scale_once(model)
    _pool_before_pointwise(model)
    _sum_in_place_of_concat(model)
    return _upsample_last(model)


def _scale_once(model: ov.Model) -> None:
    """x + x * s is x * (s + 1): one pass over x in place of two (s is small)."""
    for add in _nodes(model, "Add"):
        first, second = add.input_value(0), add.input_value(1)
        for x, product in ((first, second), (second, first)):
            node = _below(product)
            if node.get_type_name() != "Multiply":
                continue
            factors = [node.input_value(0), node.input_value(1)]
            scales = [factors[1 - k] for k in (0, 1) if _same(factors[k], x)]
            if scales:
                _replace(add, opset13.multiply(x, opset13.add(scales[0], opset13.constant(np.float32(1)))))
                break


def _pool_before_pointwise(model: ov.Model) -> None:
    """The mean over a pointwise convolution's map is the convolution of the mean over its smaller input."""
    for mean in _nodes(model, "ReduceMean"):
        pointwise = _below(mean.input_value(0))
        if pointwise.get_type_name() != "Convolution" or not _is_pooling(mean):
            continue
        weights = _constant(pointwise.input_value(1))
        # Of many channels the mean is dearer, unless there are so few behind it that they fill no register.
        if weights is None or weights.shape[2:] != (1, 1) or _strided(pointwise):
            continue
        if weights.shape[1] > weights.shape[0] and weights.shape[0] % 16 == 0:
            continue
        pooled = opset13.reduce_mean(pointwise.input_value(0), opset13.constant([2, 3]), True)
        _replace(mean, _convolution(pooled, weights))


def _sum_in_place_of_concat(model: ov.Model) -> None:
    """A convolution over two joined maps is the sum of two: the joined map is never written."""
    for convolution in _nodes(model, "Convolution"):
        joined = _below(convolution.input_value(0))
        weights = _constant(convolution.input_value(1))
        if joined.get_type_name() != "Concat" or joined.get_input_size() != 2 or weights is None:
            continue
        parts = [joined.input_value(0), joined.input_value(1)]
        if joined.get_attributes()["axis"] != 1 or any(part.get_partial_shape()[1].is_dynamic for part in parts):
            continue
        first = parts[0].get_partial_shape()[1].get_length()
        shares = (weights[:, :first], weights[:, first:])
        one, other = (_like(convolution, part, share) for part, share in zip(parts, shares, strict=True))
        _replace(convolution, opset13.add(one, other))


def _upsample_last(model: ov.Model) -> ov.Model:
    """Two transposed convolutions of 2x2 at step 2, as a text detector (DBNet) ends, work on the small map.

    Without overlap each small pixel makes its own 4x4 block: two pointwise convolutions on the small map, and one
    rearrangement of 16 values a pixel at the very end.
    """
    if len(model.outputs) != 1:
        return model
    chain = _chain(
        model.output(0).get_node().input_value(0),
        ("Sigmoid", "Add", "ConvolutionBackpropData", "Relu", "Add", "ConvolutionBackpropData"),
    )
    if chain is None:
        return model
    _, last_bias, last, _, first_bias, first = chain
    kernels = [_constant(node.input_value(1)) for node in (first, last)]
    biases = [_constant(node.input_value(1)) for node in (first_bias, last_bias)]
    if any(array is None for array in (*kernels, *biases)) or any(not _doubles(node) for node in (first, last)):
        return model
    wide, narrow = (np.asarray(kernel, dtype=np.float32) for kernel in kernels)
    if narrow.shape[1] != 1 or wide.shape[2:] != (2, 2) or narrow.shape[2:] != (2, 2):
        return model
    between = wide.shape[1]  # channels between the two
    bias, offset = (np.asarray(array, dtype=np.float32).reshape(-1) for array in biases)
    if bias.size != between or offset.size != 1:
        return model
    grown = _convolution(first.input_value(0), wide.transpose(2, 3, 1, 0).reshape(4 * between, -1, 1, 1))
    active = opset13.relu(opset13.add(grown, opset13.constant(np.tile(bias, 4).reshape(1, -1, 1, 1))))
    blocks = _convolution(active, _block_weights(narrow))
    likely = opset13.sigmoid(opset13.add(blocks, opset13.constant(offset.reshape(1, 1, 1, 1))))
    return ov.Model([opset13.depth_to_space(likely, "blocks_first", 4)], model.get_parameters())


def _block_weights(kernel: Floats) -> Floats:
    """(16, 4 * C, 1, 1) from a transposed kernel (C, 1, 2, 2): block pixel (2i + k, 2j + l) from quarter (i, j)."""
    channels = kernel.shape[0]
    weights = np.zeros((2, 2, 2, 2, 4, channels), dtype=np.float32)  # i, k, j, l, quarter, channel
    for i in range(2):
        for j in range(2):
            weights[i, :, j, :, 2 * i + j] = kernel[:, 0].transpose(1, 2, 0)
    return weights.reshape(16, 4 * channels, 1, 1)


def _nodes(model: ov.Model, kind: str) -> Iterator[Any]:
    return (node for node in model.get_ordered_ops() if node.get_type_name() == kind)


def _below(output: Any) -> Any:
    """The node that makes `output`, nodes that change nothing left out."""
    node = output.get_node()
    while node.get_type_name() in _PASSED:
        node = node.input_value(0).get_node()
    return node


def _same(one: Any, other: Any) -> bool:
    return bool(_below(one).get_friendly_name() == _below(other).get_friendly_name())


def _chain(output: Any, kinds: tuple[str, ...]) -> list[Any] | None:
    """The nodes from `output` upwards along first inputs, where they are of these kinds."""
    nodes = []
    for kind in kinds:
        node = _below(output)
        if node.get_type_name() != kind:
            return None
        nodes.append(node)
        output = node.input_value(0)
    return nodes


def _constant(output: Any) -> Floats | None:
    node = _below(output)
    return np.asarray(node.data) if node.get_type_name() == "Constant" else None


def _is_pooling(mean: Any) -> bool:
    """Whether a mean leaves one value a channel (its axes may be computed by the net, so the shapes tell)."""
    before, after = mean.input_value(0).get_partial_shape(), mean.output(0).get_partial_shape()
    if len(before) != 4 or len(after) != 4 or before[1].is_dynamic:
        return False
    return bool(after[1] == before[1] and after[2] == 1 and after[3] == 1 and before[2].is_dynamic)


def _strided(convolution: Any) -> bool:
    return any(step != 1 for step in convolution.get_attributes()["strides"])


def _doubles(transposed: Any) -> bool:
    """Whether a transposed convolution has steps of 2 and nothing unusual."""
    attributes = transposed.get_attributes()
    plain = not any((*attributes["pads_begin"], *attributes["pads_end"], *attributes["output_padding"]))
    return plain and list(attributes["strides"]) == [2, 2] and transposed.get_input_size() == 2


def _convolution(x: Any, weights: Floats) -> Any:
    kernel = opset13.constant(np.ascontiguousarray(weights, dtype=np.float32))
    return opset13.convolution(x, kernel, [1, 1], [0, 0], [0, 0], [1, 1])


def _like(convolution: Any, x: Any, weights: Floats) -> Any:
    """A convolution of `x` with the steps and margins of another."""
    kept: dict[str, Any] = convolution.get_attributes()
    kernel = opset13.constant(np.ascontiguousarray(weights, dtype=np.float32))
    sizes = (kept[name] for name in ("strides", "pads_begin", "pads_end", "dilations"))
    return opset13.convolution(x, kernel, *sizes, auto_pad=kept["auto_pad"])


def _replace(node: Any, new: Any) -> None:
    """Whoever read `node` reads `new`."""
    for reader in list(node.output(0).get_target_inputs()):
        reader.replace_source_output(new.output(0))
