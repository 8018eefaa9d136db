"""What the model is trained for."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def contrastive(images: torch.Tensor, texts: torch.Tensor, scale: torch.Tensor, concepts: torch.Tensor) -> torch.Tensor:
    """CLIP's symmetric loss over unit vectors [N, D], blind to pairs that show the same thing.

    `concepts` [N, K] holds concept numbers, -1 for none; two cards that share one are no negatives.
    """
    logits = scale * images @ texts.T
    same = (concepts[:, None, :, None] == concepts[None, :, None, :]) & (concepts >= 0)[:, None, :, None]
    shared = same.flatten(2).any(-1)
    shared.fill_diagonal_(False)
    logits = logits.masked_fill(shared, -1e4)
    target = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def risk(raw: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Each card's binary cross entropy of the zero-shot scores [N], summed over categories.

    Labels [N, categories] of -1 (cut in half) do not count. This trains the very number that the service reports, so
    that prompts of a category end up on one side of its drawings and the harmless prompts on the other.
    """
    known = (labels >= 0).float()
    each = F.binary_cross_entropy_with_logits(raw, labels.clamp(min=0).float(), reduction="none")
    return (each * known).sum(-1)


def remember(now: torch.Tensor, before: torch.Tensor, temperature: float = 2.0) -> torch.Tensor:
    """Learning without forgetting (Li and Hoiem 2016): what ImageNet's classifier says must not change."""
    target = F.softmax(before / temperature, dim=-1)
    return F.kl_div(F.log_softmax(now / temperature, dim=-1), target, reduction="batchmean")
