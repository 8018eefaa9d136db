"""ImageFacts as JSON bytes: what the tensor IMAGE_FACTS holds."""

from __future__ import annotations

import json
from dataclasses import asdict

from gatepost_server.domain.evidence import ImageFacts, View
from gatepost_server.domain.labels import Background


def encode_facts(facts: ImageFacts) -> bytes:
    """UTF-8 JSON with one key a field; views as {"frame", "background"}."""
    return json.dumps(asdict(facts), separators=(",", ":")).encode()


def decode_facts(payload: bytes) -> ImageFacts:
    """The inverse of encode_facts; ValueError, KeyError or TypeError where `payload` is anything else."""
    fields = json.loads(payload)
    fields["views"] = tuple(View(int(view["frame"]), Background(view["background"])) for view in fields["views"])
    return ImageFacts(**fields)
