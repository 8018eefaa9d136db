"""Draws planned cards with torch: a whole batch at once, on whatever device the sprites lie.

Layers are sampled by affine grids (Jaderberg et al. 2015) and laid over one another by alpha; JPEG's losses are those
of its quantised cosine transform (ITU-T T.81, tables K.1 and K.2, without subsampling).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from training.clip.cards import CANVAS, SIDE
from training.clip.plans import Ground, Layer, Plan

_COARSE = 8  # what is out of focus is seen through cells of so many sprite pixels
_ANTIALIASED = 72  # pixels: smaller sprites are averaged before they are sampled
_LUMA = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
_CHROMA = (
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99, *([99] * 32),
)  # fmt: skip
_TO_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))


class Painter:
    """Holds the sprites [n, s, s, 4] and lettering [m, h, w] on `device`, and draws plans with them."""

    def __init__(self, sprites: NDArray[np.uint8], letters: NDArray[np.uint8], device: str) -> None:
        self._device = torch.device(device)
        self._sprites = torch.from_numpy(sprites).to(self._device)
        self._letters = torch.from_numpy(letters).to(self._device)
        steps = (torch.arange(CANVAS, device=self._device) + 0.5) / CANVAS
        self._y, self._x = torch.meshgrid(steps, steps, indexing="ij")

    @torch.no_grad()
    def paint(self, plans: Sequence[Plan], generator: torch.Generator | None = None) -> Tensor:
        """Cards as uint8 [B, 3, SIDE, SIDE]; `generator` (of this device) draws the noise."""
        canvas = self._grounds([plan.ground for plan in plans])
        canvas = self._laid(canvas, [plan.backdrop for plan in plans])
        for part in ("lettering", "pictograms", "over"):
            layers: list[tuple[Layer, ...]] = [getattr(plan, part) for plan in plans]
            for turn in range(max(map(len, layers))):
                column = [each[turn] if turn < len(each) else None for each in layers]
                canvas = self._laid(canvas, column, written=part != "pictograms")
        seen = self._windows(canvas, [plan.window for plan in plans])
        return (self._worn(seen, plans, generator) * 255).round().clamp(0, 255).to(torch.uint8)

    def _tensor(self, rows: Sequence[object]) -> Tensor:
        return torch.tensor(rows, dtype=torch.float32, device=self._device)

    def _grounds(self, grounds: Sequence[Ground]) -> Tensor:
        first, last = (self._tensor([ground.ends[end] for ground in grounds])[:, :, None, None] / 255 for end in (0, 1))
        middle = torch.hypot(self._x - 0.5, self._y - 0.5) * math.sqrt(2)
        blends = torch.stack([self._x, self._y, 1 - self._x, 1 - self._y, middle])
        share = blends[[ground.blend for ground in grounds]][:, None]
        canvas = first * (1 - share) + last * share
        for turn in range(max(len(ground.dots) for ground in grounds)):
            dots = [ground.dots[turn] if turn < len(ground.dots) else (0, 0, -1, (0, 0, 0)) for ground in grounds]
            x, y, radius = (self._tensor([dot[i] for dot in dots])[:, None, None] for i in range(3))
            inside = torch.hypot(self._x * CANVAS - x, self._y * CANVAS - y) <= radius
            canvas = torch.where(
                inside[:, None], self._tensor([dot[3] for dot in dots])[:, :, None, None] / 255, canvas
            )
        frames = [ground.frame or (-2, 0, (0, 0, 0)) for ground in grounds]
        margin, width = (self._tensor([frame[i] for frame in frames])[:, None, None] for i in range(2))
        edge = CANVAS * torch.minimum(torch.minimum(self._x, 1 - self._x), torch.minimum(self._y, 1 - self._y))
        framed = (edge >= margin) & (edge < margin + width)
        return torch.where(
            framed[:, None], self._tensor([frame[2] for frame in frames])[:, :, None, None] / 255, canvas
        )

    def _laid(self, canvas: Tensor, layers: Sequence[Layer | None], *, written: bool = False) -> Tensor:
        """`canvas` [B, 3, CANVAS, CANVAS] with a layer over each card that has one."""
        cards = [card for card, layer in enumerate(layers) if layer is not None]
        if not cards:
            return canvas
        chosen = [layer for layer in layers if layer is not None]
        pictures = self._written(chosen) if written else self._dressed(chosen)
        drawn = self._placed(pictures, chosen)
        rows = torch.tensor(cards, device=self._device)
        return canvas.index_copy(0, rows, canvas[rows] * (1 - drawn[:, 3:]) + drawn[:, :3])

    def _written(self, layers: Sequence[Layer]) -> Tensor:
        masks = self._letters[[layer.index for layer in layers]].float()[:, None] / 255
        return torch.cat([masks * self._tints(layers), masks], dim=1)

    def _tints(self, layers: Sequence[Layer]) -> Tensor:
        return self._tensor([layer.tint for layer in layers])[:, :, None, None] / 255

    def _dressed(self, layers: Sequence[Layer]) -> Tensor:
        """Sprites recoloured, [B, 4, s, s], their colours multiplied by their alpha."""
        pictures = self._sprites[[layer.index for layer in layers]].permute(0, 3, 1, 2).float() / 255
        colours, alpha = pictures[:, :3], pictures[:, 3:]
        grey = colours.mul(self._tensor(_TO_YCC[0])[:, None, None]).sum(1, keepdim=True)
        is_grey = torch.tensor([layer.grey for layer in layers], device=self._device)[:, None, None, None]
        colours = torch.where(is_grey, grey, colours)
        colours = (colours * self._tensor([layer.gain for layer in layers])[:, :, None, None]).clamp(max=1)
        tinted = self._tensor([layer.tinted for layer in layers])[:, None, None, None]
        colours = colours * (1 - tinted) + self._tints(layers) * tinted
        opacity = self._tensor([layer.opacity for layer in layers])[:, None, None, None]
        pictures = torch.cat([colours * alpha, alpha], dim=1) * opacity
        small = torch.tensor([layer.box[2] < _ANTIALIASED for layer in layers], device=self._device)
        pictures = torch.where(small[:, None, None, None], _averaged(pictures, 2), pictures)
        blurred = self._tensor([layer.blurred for layer in layers])[:, None, None, None]
        return pictures.lerp(_averaged(pictures, _COARSE), blurred) if bool(blurred.any()) else pictures

    def _placed(self, pictures: Tensor, layers: Sequence[Layer]) -> Tensor:
        """Pictures [B, 4, h, w] in their boxes on empty canvases; turned pictures are cut off at their box."""
        left, top, width, height = self._tensor([layer.box for layer in layers]).T[..., None, None]
        x, y = ((2 * (place * CANVAS - edge) / size - 1)
                for place, edge, size in ((self._x, left, width), (self._y, top, height)))  # fmt: skip
        inside = (x.abs() <= 1) & (y.abs() <= 1)
        angle = self._tensor([math.radians(layer.angle) for layer in layers])[:, None, None]
        flip = self._tensor([-1.0 if layer.mirrored else 1.0 for layer in layers])[:, None, None]
        # PIL turns anticlockwise with y downwards, and mirrors before it turns.
        grid = torch.stack([flip * (x * angle.cos() - y * angle.sin()), x * angle.sin() + y * angle.cos()], dim=-1)
        return F.grid_sample(pictures, grid, align_corners=False) * inside[:, None]

    def _windows(self, canvas: Tensor, windows: Sequence[tuple[int, int, int]]) -> Tensor:
        left, top, side = (each / CANVAS for each in self._tensor(windows).T)
        theta = torch.zeros(len(windows), 2, 3, device=self._device)
        theta[:, 0, 0] = theta[:, 1, 1] = side
        theta[:, 0, 2], theta[:, 1, 2] = 2 * left + side - 1, 2 * top + side - 1
        grid = F.affine_grid(theta, [len(windows), 3, SIDE, SIDE], align_corners=False)
        return F.grid_sample(canvas, grid, mode="bicubic", padding_mode="border", align_corners=False).clamp(0, 1)

    def _worn(self, seen: Tensor, plans: Sequence[Plan], generator: torch.Generator | None) -> Tensor:
        """What files go through: JPEG, shrinking, noise."""
        lossy = [card for card, plan in enumerate(plans) if plan.quality is not None]
        if lossy:
            rows = torch.tensor(lossy, device=self._device)
            qualities = self._tensor([plans[card].quality for card in lossy])
            seen = seen.index_copy(0, rows, jpeg(seen[rows], qualities))
        shrunk = self._tensor([plan.shrunk for plan in plans])[:, None, None, None]
        seen = seen.lerp(_averaged(seen, 2), shrunk)
        spread = self._tensor([plan.noise for plan in plans])[:, None, None, None] / 255
        noise = torch.randn((len(plans), 1, SIDE, SIDE), device=self._device, generator=generator)
        return seen + spread * noise


def _averaged(pictures: Tensor, cells: int) -> Tensor:
    """Pictures as seen through square cells of so many pixels, at their old size."""
    small = F.avg_pool2d(pictures, cells)
    return F.interpolate(small, size=pictures.shape[-2:], mode="bilinear", align_corners=False)


def jpeg(pictures: Tensor, qualities: Tensor) -> Tensor:
    """Pictures [B, 3, H, W] in 0..1 after JPEG at `qualities` [B] (1 to 100); H and W are multiples of 8."""
    device = pictures.device
    to_ycc = torch.tensor(_TO_YCC, device=device)
    steps = torch.arange(8, device=device)
    basis = torch.cos((2 * steps[None] + 1) * steps[:, None] * math.pi / 16) / 2
    basis[0] /= math.sqrt(2)
    tables = torch.tensor([_LUMA, _CHROMA, _CHROMA], dtype=torch.float32, device=device).view(1, 3, 1, 1, 8, 8)
    scale = torch.where(qualities < 50, 5000 / qualities, 200 - 2 * qualities) / 100
    tables = (tables * scale.view(-1, 1, 1, 1, 1, 1)).round().clamp(1, 255)
    batch, _, height, width = pictures.shape
    ycc = (
        torch.einsum("ij,bjhw->bihw", to_ycc, pictures * 255)
        - torch.tensor([128.0, 0, 0], device=device)[:, None, None]
    )
    blocks = ycc.view(batch, 3, height // 8, 8, width // 8, 8).transpose(3, 4)
    kept = (basis @ blocks @ basis.T / tables).round() * tables
    ycc = (basis.T @ kept @ basis).transpose(3, 4).reshape(batch, 3, height, width)
    ycc = ycc + torch.tensor([128.0, 0, 0], device=device)[:, None, None]
    return (torch.einsum("ij,bjhw->bihw", torch.linalg.inv(to_ycc), ycc) / 255).clamp(0, 1)
