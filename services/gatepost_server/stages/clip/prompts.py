"""Zero-shot questions by category (prompts.yaml), as vectors and as scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
import yaml

# Texts -> unit vectors [n, D].
EncodeTexts = Callable[[Sequence[str]], torch.Tensor]


@dataclass(frozen=True, slots=True)
class PromptSet:
    """Texts of every entry; an entry's vector is the mean over its texts."""

    categories: Mapping[str, tuple[tuple[str, ...], ...]]
    negatives: tuple[tuple[str, ...], ...]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads prompts.yaml; raises KeyError where an entry has a language without templates."""
        rows: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        templates: Mapping[str, Sequence[str]] = rows["templates"]

        def texts(entry: Mapping[str, str]) -> tuple[str, ...]:
            return tuple(
                template.format(entry[language]) for language in sorted(entry) for template in templates[language]
            )

        return cls(
            {name: tuple(texts(entry) for entry in entries) for name, entries in rows["categories"].items()},
            tuple(texts(entry) for entry in rows["negatives"]),
        )

    @property
    def entries(self) -> tuple[tuple[str, ...], ...]:
        """All entries: those of the categories in order, then the negatives."""
        return (*(entry for entries in self.categories.values() for entry in entries), *self.negatives)

    def spans(self) -> tuple[slice, ...]:
        """Where each category's entries lie in `entries`; the last span is the negatives'."""
        sizes = [*(len(entries) for entries in self.categories.values()), len(self.negatives)]
        starts = [sum(sizes[:index]) for index in range(len(sizes))]
        return tuple(slice(start, start + size) for start, size in zip(starts, sizes, strict=True))


def entry_vectors(texts: torch.Tensor, entries: Sequence[Sequence[str]]) -> torch.Tensor:
    """The entries' unit vectors [E, D], from the unit vectors [T, D] of all their texts in order."""
    groups = torch.split(texts, [len(entry) for entry in entries])
    means = [group.mean(0) for group in groups]
    return torch.nn.functional.normalize(torch.stack(means), dim=-1)


def raw_scores(
    images: torch.Tensor, entries: torch.Tensor, spans: Sequence[slice], scale: float | torch.Tensor
) -> torch.Tensor:
    """By category, how much more an image looks like it than like the negatives: [N, categories].

    `images` [N, D] and `entries` [E, D] are unit vectors, `scale` is the model's logit scale. The
    difference of two logsumexp is the log odds of "one of these" against "one of those".
    """
    logits = scale * images @ entries.T
    against = logits[:, spans[-1]].logsumexp(-1)
    return torch.stack([logits[:, span].logsumexp(-1) - against for span in spans[:-1]], dim=-1)
