"""Any Hugging Face sequence classifier as a second opinion on text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatepost_server.domain.evidence import ModelVersion
from gatepost_server.domain.labels import CATEGORIES, Category

# Label names that public toxicity classifiers use, lower case.
_KNOWN_LABELS = {
    "toxic": Category.INSULT,
    "toxicity": Category.INSULT,
    "offensive": Category.INSULT,
    "abusive": Category.INSULT,
    "obscene": Category.INSULT,
    "severe_toxic": Category.INSULT,
    "identity_hate": Category.HATE,
    "identity_attack": Category.HATE,
    "hateful": Category.HATE,
    "sexual_explicit": Category.SEXUAL,
    "sexually_explicit": Category.SEXUAL,
    "self-harm": Category.SELF_HARM,
    **{str(category): category for category in Category},
}
_BATCH = 32
_MAX_TOKENS = 128


class SequenceClassifier:
    """A local checkpoint with its tokenizer on one device ("auto": CUDA where torch sees one, else the CPU).

    `labels` ("LABEL_1=insult,LABEL_2=hate") adds to the label names known above. One-label-per-text heads
    are read with softmax, multi-label ones with sigmoid (the checkpoint's own problem_type).
    """

    def __init__(self, directory: str, labels: str = "", device: str = "auto") -> None:
        # Here, so that the stage costs no torch where nobody asks for a second opinion.
        from gatepost_server.engines.torchvision_shim import ensure_torchvision

        ensure_torchvision()
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        self._torch = torch
        self._device = device = _available() if device == "auto" else device
        self._tokenizer: Any = AutoTokenizer.from_pretrained(directory, local_files_only=True)
        model: Any = AutoModelForSequenceClassification.from_pretrained(directory, local_files_only=True)
        self._model = model.to(device).eval()
        self._columns = _columns(model.config.id2label, _parse(labels))
        if not self._columns:
            raise ValueError(f"no label of {directory} names a category; set classifier_labels")
        self._multi_label = model.config.problem_type == "multi_label_classification" or model.config.num_labels == 1
        digest = getattr(model.config, "_commit_hash", None) or "local"
        self.version = ModelVersion(name=str(model.config.model_type), version=str(digest)[:12])

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Probabilities (n, C) of normalised texts; NaN for categories that the classifier does not judge."""
        out = np.full((len(texts), len(CATEGORIES)), np.nan, np.float32)
        for start in range(0, len(texts), _BATCH):
            batch = [text or " " for text in texts[start : start + _BATCH]]
            probabilities = self._probabilities(batch)
            for label, column in self._columns:
                cell = out[start : start + len(batch), column]
                cell[:] = np.fmax(cell, probabilities[:, label])
        return out

    def _probabilities(self, batch: list[str]) -> NDArray[np.float32]:
        encoded = self._tokenizer(batch, padding=True, truncation=True, max_length=_MAX_TOKENS, return_tensors="pt")
        with self._torch.inference_mode():
            logits = self._model(**encoded.to(self._device)).logits.float()
            values = logits.sigmoid() if self._multi_label else logits.softmax(-1)
        return np.asarray(values.cpu().numpy(), np.float32)


def _available() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _parse(labels: str) -> dict[str, Category]:
    pairs = (pair.split("=", 1) for pair in labels.split(",") if pair)
    return {name.strip().lower(): Category(category.strip()) for name, category in pairs}


def _columns(id2label: Mapping[int, str], extra: Mapping[str, Category]) -> list[tuple[int, int]]:
    known = {**_KNOWN_LABELS, **extra}
    return [
        (int(label), CATEGORIES.index(known[name.lower()])) for label, name in id2label.items() if name.lower() in known
    ]
