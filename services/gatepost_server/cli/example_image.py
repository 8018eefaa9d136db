"""What an image is compared by, worked out here by the stages themselves: digest, PDQ hash, embedding."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from gatepost_server.domain.errors import GatepostError
from gatepost_server.serving.ensemble import built
from gatepost_server.stages.base import text_array
from gatepost_server.stages.clip import Clip
from gatepost_server.stages.decode import DecodeStage
from gatepost_server.tensors.facts import decode_facts


@dataclass(frozen=True, slots=True)
class ExampleImage:
    """Of one file."""

    sha256: str
    pdq: str
    pdq_quality: int
    embedding: tuple[float, ...]
    embedding_model: str  # as KnownBad.embedding_model


def look_at(path: Path, repository: Path) -> ExampleImage:
    """Loads the image net, which takes seconds. Raises GatepostError for what is no image, OSError."""
    data = path.read_bytes()
    decoder = built(DecodeStage, repository / DecodeStage.contract.model, os.environ)
    decoded = decoder.run([{"IMAGE": text_array([data])}])[0]
    if isinstance(decoded, GatepostError):
        raise decoded
    facts = decode_facts(decoded.arrays["IMAGE_FACTS"][0])
    clip = built(Clip, repository / Clip.contract.model, os.environ)
    seen = clip.run([{"CLIP_PIXELS": decoded.arrays["CLIP_PIXELS"], "PROMPT": text_array([""])}])[0]
    if isinstance(seen, GatepostError):
        raise seen
    model = clip.models[0]
    embedding = tuple(map(float, seen.arrays["EMBEDDING"].tolist()))
    digest = hashlib.sha256(data).hexdigest()
    return ExampleImage(digest, facts.pdq, facts.pdq_quality, embedding, f"{model.name} {model.version}")
