"""decode: the encoded file to pixels, facts and hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import numpy as np
import pdqhash
from PIL import Image

from gatepost_server.domain.errors import ErrorReason, GatepostError
from gatepost_server.domain.evidence import ImageFacts, ModelVersion
from gatepost_server.stages.base import Arrays, StageResult, text_array
from gatepost_server.stages.decode import views
from gatepost_server.stages.decode.limits import Limits, refuse
from gatepost_server.stages.decode.reader import Looked, forbid_silent_repairs, look
from gatepost_server.tensors.contract import CLIP_PIXELS, DECODE, IMAGE, IMAGE_FACTS, OCR_PIXELS, ModelContract
from gatepost_server.tensors.facts import encode_facts

# What Pillow's plugins say of a file that ends too early; every other failure is a corrupt file.
_TRUNCATION = ("truncated", "end of file", "unexpected end", "not enough")


class DecodeStage:
    """Implements Stage for contract.DECODE. Parameters: the fields of `limits.Limits`."""

    contract: ClassVar[ModelContract] = DECODE

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._limits = Limits.from_parameters(parameters)
        # Pillow, zlib and the codecs let go of the GIL.
        self._pool = ThreadPoolExecutor(self._limits.threads, thread_name_prefix="decode")
        forbid_silent_repairs()

    @property
    def models(self) -> tuple[ModelVersion, ...]:
        """None: decoding is not a net's work."""
        return ()

    def run(self, items: Sequence[Arrays]) -> Sequence[StageResult | GatepostError]:
        """Views, facts and hashes of each image, or its error with field "image"."""
        files = [bytes(item[IMAGE.name].reshape(-1)[0]) for item in items]
        if len(files) == 1:
            return [decode(files[0], self._limits)]
        return list(self._pool.map(lambda data: decode(data, self._limits), files))


def decode(data: bytes, limits: Limits) -> StageResult | GatepostError:
    """One file's tensors of contract.DECODE, or why it is refused."""
    try:
        looked = look(data, limits)
        return _result(data, looked, limits)
    except GatepostError as error:
        return error
    except MemoryError:  # the stub's limit (serving.memory_limit), or the machine's
        return refuse(ErrorReason.IMAGE_TOO_MANY_PIXELS, "decoding the image takes more memory than one image may")
    except Exception as error:  # noqa: BLE001 - Pillow's plugins raise any type for a malformed file
        return _from_pillow(error)


def _result(data: bytes, looked: Looked, limits: Limits) -> StageResult:
    shown = looked.images[0].size
    small = views.fit(shown, limits.clip_side)
    clip_pixels = views.stack([views.shrink(image, small) for image in looked.images])
    # PDQ begins by shrinking to 64x64, so that 512 pixels say as much as the whole image.
    bits, quality = pdqhash.compute(clip_pixels[0])
    facts = ImageFacts(
        sha256=hashlib.sha256(data).hexdigest(),
        pdq=np.packbits(bits).tobytes().hex(),
        pdq_quality=int(quality),
        width=looked.size[0],
        height=looked.size[1],
        format=looked.header.format,
        frames=looked.header.frames,
        views=looked.views,
    )
    return StageResult(
        arrays={
            OCR_PIXELS.name: views.stack(looked.images),
            CLIP_PIXELS.name: clip_pixels,
            IMAGE_FACTS.name: text_array([encode_facts(facts)]),
        },
        looked_at={
            "frames": len({view.frame for view in looked.views}),
            "frames_alike": looked.alike,
            "frames_left_out": looked.left_out,
            "views": len(looked.views),
        },
        skipped=looked.skipped,
    )


def _from_pillow(error: Exception) -> GatepostError:
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return refuse(ErrorReason.IMAGE_TOO_MANY_PIXELS, "the image has more pixels than Pillow takes")
    if isinstance(error, EOFError) or any(phrase in str(error).lower() for phrase in _TRUNCATION):
        return refuse(ErrorReason.IMAGE_TRUNCATED, "the file ends before the image does")
    return refuse(ErrorReason.IMAGE_CORRUPT, "the pixels cannot be decoded")
