"""One child that reads images from stdin and says of each what it made of it.

`python -m benchmarks.fuzz.worker decode` is the decode stage under the same memory limit as in a stub;
`... pillow` is an independent reading: Pillow alone, with its own settings, loading every frame of the file.

In: length (4 bytes, big endian) and data. Out: one line of JSON: {"ok", "why", "cpu_s", "anon_mb"}.
"""

from __future__ import annotations

import io
import json
import os
import re
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

CONFIG = Path(__file__).parents[2] / "model_repository" / "decode" / "config.pbtxt"

Look = Callable[[bytes], str]  # "" for an image that was read, else why not


def memory_limit_mb() -> str:
    """What config.pbtxt gives the decode stub."""
    found = re.search(r'"memory_limit_mb" value \{ string_value: "(\d+)"', CONFIG.read_text())
    if found is None:
        raise ValueError("the decode stage has no memory limit")
    return found[1]


def decode_stage() -> Look:
    """The stage, limited."""
    from gatepost_server.domain.errors import ErrorCode, GatepostError
    from gatepost_server.serving.memory_limit import limit_memory
    from gatepost_server.stages.base import text_array
    from gatepost_server.stages.decode import DecodeStage
    from gatepost_server.tensors.check import first_breach

    limit_memory({"memory_limit_mb": memory_limit_mb()})
    stage = DecodeStage({})

    def look(data: bytes) -> str:
        (result,) = stage.run([{"IMAGE": text_array([data])}])
        if isinstance(result, GatepostError):
            typed = result.code is ErrorCode.INVALID_ARGUMENT and result.field == "image"
            return str(result.reason) if typed else f"untyped: {result}"
        breach = first_breach(stage.contract.outputs, result.arrays)
        return f"untyped: {breach}" if breach else ""

    return look


def pillow() -> Look:
    """Pillow alone."""
    from PIL import Image

    def look(data: bytes) -> str:
        try:
            with Image.open(io.BytesIO(data)) as image:
                # Viewers show the first picture of a JPEG, and none of those behind it.
                for frame in range(1 if image.format in ("JPEG", "MPO") else getattr(image, "n_frames", 1)):
                    image.seek(frame)
                    image.load()
        except Exception as error:  # noqa: BLE001 - whatever it is, the file cannot be read
            return type(error).__name__
        return ""

    return look


def anonymous_mb(pid: int | str = "self") -> float:
    """Memory that is the process' own, without shared and file pages, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) / 1024


def serve(look: Look, source: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the source ends."""
    while len(head := source.read(4)) == 4:
        data = source.read(struct.unpack(">I", head)[0])
        started = time.process_time()
        why = look(data)
        answer = {"ok": not why, "why": why, "cpu_s": time.process_time() - started, "anon_mb": anonymous_mb()}
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    # C libraries print to standard output; answers have a descriptor of their own.
    own = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve({"decode": decode_stage, "pillow": pillow}[sys.argv[1]](), sys.stdin.buffer, own)
