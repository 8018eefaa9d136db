"""Lets torchvision's CUDA wheel be imported beside a CPU build of torch.

PyPI's Linux torchvision 0.28 needs libtorch_cuda: on CPU torch its operators are never defined and
`import torchvision` dies with "operator torchvision::nms does not exist", and open_clip, timm and
transformers with it. Declaring the two operators first makes the import succeed; transforms and
models work, `torchvision.ops.nms` and `torchvision.io` do not. A matching build is left alone.
"""

from __future__ import annotations

import functools
import importlib.util
import logging
from pathlib import Path

import torch


@functools.cache
def ensure_torchvision() -> torch.library.Library | None:
    """Call before the first import of open_clip, timm or torchvision.

    Returns the library that declares the operators (the cache keeps it alive), or None where
    torchvision's own can be used.
    """
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return None
    try:
        torch.ops.load_library(str(Path(spec.origin).parent / "_C.so"))  # type: ignore[no-untyped-call]
    except (OSError, ImportError) as error:
        logging.getLogger(__name__).debug("torchvision's operators cannot be loaded: %s", error)
    else:
        return None
    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for operator in ("nms", "qnms"):
        schema = f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        library.define(schema)  # type: ignore[no-untyped-call]
    return library
