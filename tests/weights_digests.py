"""The SHA-256 of every net that is shipped, as sha256sum has it. `python -m tests.weights_digests` writes the file."""

from __future__ import annotations

import hashlib

from gatepost_server.cli.doctor.models import DIGESTS
from tests.conftest import MODEL_REPOSITORY

KINDS = ("*.safetensors", "*.npz", "*.onnx")


def digests() -> str:
    """One line for each file, by name."""
    files = sorted(file for kind in KINDS for file in MODEL_REPOSITORY.glob(f"*/1/{kind}"))
    return "".join(
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(MODEL_REPOSITORY)}\n" for file in files
    )


if __name__ == "__main__":
    DIGESTS.write_text(digests())
