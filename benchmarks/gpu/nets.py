"""The nets and the shapes that they are given, as torch modules on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from gatepost_server.engines.onnx_fx import module_from_onnx
from gatepost_server.engines.torchvision_shim import ensure_torchvision
from gatepost_server.engines.weights import find_weights

DETECTOR_SIDES = (512, 640, 736, 1024)
RECOGNIZER_WIDTHS = (128, 320, 640)
CROP_HEIGHT = 48
LARGE = "ViT-L-14"  # its shape, with random weights: no checkpoint of it is shipped


@dataclass(frozen=True, slots=True)
class Bucket:
    """One shape of one net: what it is called, and the input's shape for one image."""

    net: str
    name: str
    shape: tuple[int, int, int]


BUCKETS = (
    *(Bucket("det", f"{side}x{side}", (3, side, side)) for side in DETECTOR_SIDES),
    *(Bucket("rec", f"{CROP_HEIGHT}x{width}", (3, CROP_HEIGHT, width)) for width in RECOGNIZER_WIDTHS),
    Bucket(LARGE, "224x224", (3, 224, 224)),
)


def _large() -> torch.nn.Module:
    ensure_torchvision()
    import open_clip

    return open_clip.create_model(LARGE, pretrained=None, pretrained_text=False).visual.eval()  # type: ignore[no-any-return]


LOADERS: Mapping[str, Callable[[], torch.nn.Module]] = {
    "det": lambda: module_from_onnx(find_weights("PP-OCRv6_small_det").path),
    "rec": lambda: module_from_onnx(find_weights("PP-OCRv6_small_rec").path),
    LARGE: _large,
}
