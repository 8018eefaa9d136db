"""Make of the encoder's weights what is shipped: an int8 ONNX net, word embeddings, tokenizer, a few facts.

    python -m training.text.export

Weights only are quantised, a scale a column: activations stay as they are, so every engine computes the same.
The word embeddings are copied as the four-bit blocks that they are, for they were never trained.

The weights are the mean of an early and a late epoch (Wortsman et al. 2022, robust fine-tuning by averaging): the late
one knows the training cards by heart, and on cards that it never saw the mean does as well, on others' cards better.
"""

from __future__ import annotations

import argparse
import json
import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from training.text.data import CACHE, LEARNED
from training.text.tower import HIDDEN, Tower, read_words, tower_of
from training.text.train_encoder import LONGEST, PACKED, epoch_file

OUT = Path(__file__).parents[2] / "model_repository/text_toxicity/1"
AVERAGED = (1, 3)  # epochs
_OPSET = 17


def to_onnx(tower: Tower, path: Path) -> None:
    """Write the tower as words (B, L, HIDDEN), there (B, L) -> logits (B, k), its matrices in int8."""
    example = (torch.zeros(2, 8, HIDDEN), torch.ones(2, 8))
    axes = {"words": {0: "texts", 1: "pieces"}, "there": {0: "texts", 1: "pieces"}, "logits": {0: "texts"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated, and warns of each size it reads
        torch.onnx.export(
            tower.eval(),
            example,
            str(path),
            input_names=["words", "there"],
            output_names=["logits"],
            dynamic_axes=axes,
            opset_version=_OPSET,
            dynamo=False,
        )
    model = onnx.load(str(path))
    quantize(model.graph)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def mean_of(checkpoints: Sequence[Path]) -> dict[str, torch.Tensor]:
    """The mean of several epochs' weights."""
    states = [torch.load(path, weights_only=True) for path in checkpoints]
    return {name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]}


def quantize(graph: GraphProto) -> None:
    """Replace every matrix that is multiplied with by int8 numbers and a scale a column (DequantizeLinear)."""
    matrices = {tensor.name: tensor for tensor in graph.initializer if len(tensor.dims) == 2}
    used = {
        name for node in graph.node if node.op_type in ("MatMul", "Gemm") for name in node.input if name in matrices
    }
    nodes: list[NodeProto] = []
    for name in sorted(used):
        weights = numpy_helper.to_array(matrices[name])
        scales = np.maximum(np.abs(weights).max(axis=0), 1e-8).astype(np.float32) / 127
        graph.initializer.remove(matrices[name])
        graph.initializer.extend(
            [
                _named(f"{name}.int8", np.rint(weights / scales).astype(np.int8)),
                _named(f"{name}.scale", scales),
                _named(f"{name}.zero", np.zeros(len(scales), np.int8)),
            ]
        )
        inputs = [f"{name}.int8", f"{name}.scale", f"{name}.zero"]
        nodes.append(helper.make_node("DequantizeLinear", inputs, [name], f"{name}.dequantize", axis=1))
    nodes += graph.node
    del graph.node[:]
    graph.node.extend(nodes)


def _named(name: str, values: np.ndarray) -> TensorProto:
    return numpy_helper.from_array(values, name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--epochs", type=int, nargs="+", default=AVERAGED, help="whose weights are averaged")
    options = parser.parse_args()
    to_onnx(
        tower_of(mean_of([epoch_file(options.cache, epoch) for epoch in options.epochs])), options.out / "encoder.onnx"
    )
    save_file({"words": read_words(PACKED)}, options.out / "words.safetensors")
    shutil.copyfile(PACKED / "tokenizer.json", options.out / "tokenizer.json")
    facts = {"categories": [str(category) for category in LEARNED], "longest": LONGEST}
    (options.out / "encoder.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
