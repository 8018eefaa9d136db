"""How much one image may hold and how much of it is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from gatepost_server.domain.errors import ErrorReason, GatepostError, invalid


def refuse(reason: ErrorReason, message: str) -> GatepostError:
    """The error of an image that will not be looked at."""
    return invalid(reason, message, field="image")


@dataclass(frozen=True, slots=True)
class Limits:
    """Each field may be set by a parameter of the same name in config.pbtxt."""

    max_bytes: int = 20 * 2**20
    max_pixels: int = 64_000_000  # of one frame
    max_total_pixels: int = 100_000_000  # of all frames together: a GIF of that takes seconds already
    max_side: int = 16_384
    max_frames: int = 32
    max_metadata: int = 2**20  # bytes of one inflated text, profile or EXIF; Pillow's MAX_TEXT_CHUNK
    max_blocks: int = 100_000  # chunks, segments or sub-blocks; also bounds the time of the header check
    max_views: int = 8
    ocr_side: int = 2048
    ocr_bytes: int = 16 * 2**20  # of OCR_PIXELS, over all views
    clip_side: int = 512
    threads: int = 2

    def __post_init__(self) -> None:
        for limit in fields(self):
            if getattr(self, limit.name) < 1:
                raise ValueError(f"{limit.name} must be at least 1")
        if self.max_views < 4:
            raise ValueError("max_views must be at least 4: the first and the last frame, each on two backgrounds")

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> Limits:
        """Limits with the given ones replaced; ValueError where one is not a positive integer."""
        return cls(**{limit.name: int(parameters[limit.name]) for limit in fields(cls) if limit.name in parameters})

    def check_size(self, width: int, height: int) -> None:
        """Raises the GatepostError of a frame whose width or height, in pixels, is not acceptable."""
        if width < 1 or height < 1:
            raise refuse(ErrorReason.IMAGE_ZERO_SIZE, "the image has no pixels")
        if max(width, height) > self.max_side:
            raise refuse(ErrorReason.IMAGE_SIDE_TOO_LONG, f"a side is longer than {self.max_side} pixels")
        if width * height > self.max_pixels:
            raise refuse(ErrorReason.IMAGE_TOO_MANY_PIXELS, f"the image has more than {self.max_pixels} pixels")

    def check_frames(self, frames: int, pixels: int) -> None:
        """Raises the GatepostError of too many frames, or of `pixels` over all of them."""
        if frames > self.max_frames:
            raise refuse(ErrorReason.IMAGE_TOO_MANY_FRAMES, f"the image has more than {self.max_frames} frames")
        if pixels > self.max_total_pixels:
            raise refuse(
                ErrorReason.IMAGE_TOO_MANY_PIXELS,
                f"the frames have more than {self.max_total_pixels} pixels together",
            )

    def check_blocks(self, blocks: int) -> None:
        """Raises the GatepostError of a file that is cut into too many pieces."""
        if blocks > self.max_blocks:
            raise refuse(ErrorReason.IMAGE_METADATA_TOO_LARGE, f"the file has more than {self.max_blocks} blocks")

    def check_metadata(self, size: int) -> None:
        """Raises the GatepostError of one piece of metadata with `size` bytes."""
        if size > self.max_metadata:
            raise refuse(
                ErrorReason.IMAGE_METADATA_TOO_LARGE,
                f"a text, profile or EXIF block has more than {self.max_metadata} bytes",
            )
