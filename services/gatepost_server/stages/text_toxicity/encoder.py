"""The shipped encoder: what a text means, as one logit for each category.

Eight layers of multilingual-e5-small, fine-tuned by training/text. Word embeddings lie beside the net as four-bit
blocks, and only the rows that a text needs are expanded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from gatepost_server.domain.labels import Category
from gatepost_server.engines import q4
from gatepost_server.engines.graph_net import open_graph

FILES = ("encoder.onnx", "encoder.json", "words.safetensors", "tokenizer.json")
_PAD = "<pad>"
_REMEMBERED = 8_192  # texts: greetings repeat, and so do lines seen in several views
# Few sizes, because an engine prepares itself anew for each: lengths in steps, batches in powers of two.
_STEP = 8  # pieces
_MOST_AT_ONCE = 8  # texts


class Encoder:
    """Logits of texts. Texts that were seen lately are remembered."""

    def __init__(self, directory: Path, *, engine: str = "auto", threads: int = 1, precision: str = "auto") -> None:
        """Raises OSError or ValueError where a file is missing or not what it should be."""
        facts = json.loads((directory / "encoder.json").read_text(encoding="utf-8"))
        self.categories = tuple(Category(name) for name in facts["categories"])
        self._blocks = _words(directory / "words.safetensors")
        self._tokenizer = _tokenizer(directory / "tokenizer.json", int(facts["longest"]))
        self._pad = self._tokenizer.token_to_id(_PAD)
        if self._pad is None or self._tokenizer.get_vocab_size() != len(self._blocks):
            raise ValueError(f"tokenizer.json and words.safetensors of {directory} do not belong together")
        self._net = open_graph(directory / "encoder.onnx", engine=engine, threads=threads, precision=precision)
        self._remembered: LRUCache[str, NDArray[np.float32]] = LRUCache(_REMEMBERED)
        self.version = _digest([directory / name for name in FILES])
        if self(["a"]).shape != (1, len(self.categories)):
            raise ValueError(f"encoder.onnx of {directory} does not answer with {len(self.categories)} categories")

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Logits (n, k) of normalised texts, in the order of `categories`; what is too long is cut off."""
        known = {text: self._remembered[text] for text in texts if text in self._remembered}
        new = [text for text in dict.fromkeys(texts) if text not in known]
        rows = [encoding.ids for encoding in self._tokenizer.encode_batch(new)]
        order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
        for start in range(0, len(order), _MOST_AT_ONCE):
            members = order[start : start + _MOST_AT_ONCE]
            for row, logits in zip(members, self._run([rows[row] for row in members]), strict=True):
                known[new[row]] = self._remembered[new[row]] = logits
        return np.stack([known[text] for text in texts]) if texts else np.empty((0, len(self.categories)), np.float32)

    def _run(self, rows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        length = -(-max(map(len, rows)) // _STEP) * _STEP
        pieces = np.full((1 << (len(rows) - 1).bit_length(), length), self._pad, np.int64)
        for row, numbers in zip(pieces, rows, strict=False):
            row[: len(numbers)] = numbers
        there = (pieces != self._pad).astype(np.float32)
        there[:, 0] = 1.0  # rows that only fill the batch; a mean over nothing is no number
        words = q4.expand(self._blocks[pieces.reshape(-1)]).reshape(*pieces.shape, -1).astype(np.float32)
        return self._net({"words": words, "there": there})[: len(rows)]


def _words(path: Path) -> NDArray[np.uint8]:
    try:
        blocks = load_file(path)["words"]
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(f"{path} holds no word embeddings: {error}") from error
    return np.asarray(blocks, np.uint8)


def _tokenizer(path: Path, longest: int) -> Tokenizer:
    content = path.read_text(encoding="utf-8")
    try:
        tokenizer = Tokenizer.from_str(content)
    except Exception as error:
        raise ValueError(f"{path} is no tokenizer: {error}") from error
    tokenizer.enable_truncation(longest)
    return tokenizer


def _digest(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
