"""ImageFacts survive the tensor that carries them."""

from __future__ import annotations

import pytest

from gatepost_server.domain.evidence import ImageFacts, View
from gatepost_server.domain.labels import Background
from gatepost_server.tensors.facts import decode_facts, encode_facts

FACTS = ImageFacts(
    sha256="0" * 64,
    pdq="f" * 64,
    pdq_quality=87,
    width=1024,
    height=768,
    format="GIF",
    frames=12,
    views=(View(0), View(11, Background.WHITE), View(11, Background.BLACK)),
)


def test_facts_come_back_as_they_went():
    assert decode_facts(encode_facts(FACTS)) == FACTS


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b'{"views":[{"frame":0,"background":"pink"}]}'])
def test_anything_else_is_an_error(payload):
    with pytest.raises((ValueError, KeyError, TypeError)):
        decode_facts(payload)
