"""A stage without nets that does what its input says: for tests of what lies around stages."""

import ctypes
import os
import time

import numpy as np

from gatepost_server.domain.errors import ErrorReason, invalid
from gatepost_server.domain.evidence import ModelVersion
from gatepost_server.domain.labels import StageName
from gatepost_server.serving.shell import StageShell
from gatepost_server.stages.base import StageResult, text_array
from gatepost_server.tensors import contract


class Words:
    contract = contract.ModelContract(StageName.DECODE, (contract.IMAGE,), (contract.TEXTS, contract.TEXT_CONFIDENCES))
    models = (ModelVersion("words", "1"),)

    def __init__(self, parameters):
        self.suffix = parameters["suffix"].encode()

    def run(self, items):
        return [self._one(item["IMAGE"][0], len(items)) for item in items]

    def _one(self, image, batch):
        if image == b"bad":
            return invalid(ErrorReason.IMAGE_CORRUPT, "not an image", field="image")
        if image == b"raise":
            raise RuntimeError("secret words of the image")
        if image == b"die":
            os._exit(1)
        if image == b"hog":
            np.ones(1 << 30, np.uint8)
        if image == b"careless":  # as a C library that does not look at what malloc gave it
            libc = ctypes.CDLL(None)
            libc.malloc.restype = ctypes.c_void_p
            ctypes.memset(libc.malloc(ctypes.c_size_t(1 << 30)), 1, 1 << 30)
        if image == b"hang":
            time.sleep(3_600)
        if image == b"slow":
            time.sleep(0.6)
        words = [word + self.suffix for word in image.split()]
        confidences = np.full(len(words), np.nan if image == b"nan" else 1, np.float32)
        return StageResult({"TEXTS": text_array(words), "TEXT_CONFIDENCES": confidences}, looked_at={"batch": batch})


class TritonPythonModel(StageShell):
    stage_type = Words
