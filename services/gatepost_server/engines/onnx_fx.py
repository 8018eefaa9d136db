"""ONNX files as torch modules: one node becomes one call of the function that carries its name.

Covers the operators of the PP-OCR detectors and recognisers (opset 11 and later), with dynamic
height, width and batch. The result is a torch.fx.GraphModule: it can be moved, compiled and exported.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper

from gatepost_server.engines.onnx_ops import OPERATORS


class UnsupportedOperatorError(Exception):
    """The file uses an operator that has no translation."""


def module_from_onnx(path: Path) -> torch.fx.GraphModule:
    """The net of `path` with one input and one output, in evaluation mode on the CPU, as float32.

    Raises UnsupportedOperatorError with the names of what is missing.
    """
    model = onnx.load(str(path))
    missing = {node.op_type for node in model.graph.node} - OPERATORS.keys() - {"Constant", "Identity"}
    if missing:
        raise UnsupportedOperatorError(f"no translation for {', '.join(sorted(missing))}")
    return _Translation(model.graph).module()


class _Translation:
    def __init__(self, source: onnx.GraphProto) -> None:
        self._source = source
        self._root = torch.nn.Module()
        self._graph = torch.fx.Graph()
        self._constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in source.initializer}
        self._values: dict[str, Any] = {"": None}  # "" is ONNX's name for an input left out

    def module(self) -> torch.fx.GraphModule:
        (image,) = [entry.name for entry in self._source.input if entry.name not in self._constants]
        self._values[image] = self._graph.placeholder("image")
        for node in self._source.node:
            self._translate(node)
        self._graph.output(self._value(self._source.output[0].name))
        return torch.fx.GraphModule(self._root, self._graph).eval()

    def _translate(self, node: onnx.NodeProto) -> None:
        attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        if node.op_type == "Constant":
            self._constants[node.output[0]] = numpy_helper.to_array(attributes["value"])
            return
        if node.op_type == "Identity":
            self._values[node.output[0]] = self._value(node.input[0])
            return
        keywords = {name: value.decode() if isinstance(value, bytes) else value for name, value in attributes.items()}
        # Scales are numbers for Python: read back from a device, they would make it wait, and no recording allows that.
        plain = node.op_type == "Resize"
        inputs = tuple(self._value(name, plain=plain and place > 0) for place, name in enumerate(node.input))
        self._values[node.output[0]] = self._graph.call_function(OPERATORS[node.op_type], inputs, keywords)

    def _value(self, name: str, *, plain: bool = False) -> Any:
        """The value called `name`: a node of the graph, a weight, or (shapes, axes; with `plain` all) numbers."""
        if plain and name in self._constants:
            return self._constants[name].tolist()
        if name not in self._values:
            constant = self._constants[name]
            if np.issubdtype(constant.dtype, np.floating):
                buffer = f"weight_{len(self._values)}"
                self._root.register_buffer(buffer, torch.from_numpy(constant.astype(np.float32)))
                self._values[name] = self._graph.get_attr(buffer)
            else:
                self._values[name] = constant.tolist()
        return self._values[name]
