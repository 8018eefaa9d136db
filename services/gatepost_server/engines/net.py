"""What the stages know of a net: a file, how its input is scaled, and `run`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]  # N, height, width, 3
Size = tuple[int, int]  # height, width


@dataclass(frozen=True, slots=True)
class NetFile:
    """An ONNX net of one image input (N, 3, height, width) and one output.

    A pixel p of channel c enters as (p - mean[c]) / std[c], both in units of 0 to 255. With `top1` the
    last axis of the output is reduced where it lies (on the device): `run` then answers with the
    index of the largest value (int32) and that value (float32) in place of the whole output.
    """

    path: Path
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    top1: bool = False


class Net(Protocol):
    """A net that is loaded on a device. Calls from several threads are served one after another.

    `batch` is how many images are worth running together: 1 on a CPU, where batches gain nothing and
    the padding of unlike widths costs time.
    """

    batch: int

    def run(self, images: Images, size: Size | None = None) -> Sequence[NDArray[Any]]:
        """The outputs for uint8 images (N, height, width, 3), channels in the order of the net's training.

        With `size` the net sees them at that size, scaled as `sized` does it, where the net lies.
        One float32 array, or (indices, values) where the file says `top1`. The arrays are the
        caller's own.
        """
        ...


def sized(images: Images, size: Size | None) -> Images:
    """`images` at `size` by linear interpolation between the middles of pixels; themselves for None or their own."""
    if size is None or images.shape[1:3] == size:
        return images
    scaled_images = np.empty((len(images), *size, 3), dtype=np.uint8)
    for image, row in zip(images, scaled_images, strict=True):
        cv2.resize(image, size[::-1], dst=row, interpolation=cv2.INTER_LINEAR)
    return scaled_images


def scaled(images: Images, file: NetFile) -> NDArray[np.float32]:
    """Float input (N, 3, height, width) of `images`, for engines that do not scale inside the net."""
    mean = np.asarray(file.mean, dtype=np.float32)
    std = np.asarray(file.std, dtype=np.float32)
    floats = (images.astype(np.float32) - mean) / std
    return np.ascontiguousarray(floats.transpose(0, 3, 1, 2))
