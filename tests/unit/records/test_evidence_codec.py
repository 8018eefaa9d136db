"""Evidence that is kept comes back as it was."""

from __future__ import annotations

import math

import pytest

from gatepost_server.records.codec import evidence_from_json, evidence_to_json
from tests.builders import evidence, line


def test_evidence_comes_back_equal_with_the_embedding_that_is_kept_beside_it():
    seen = evidence({"insult": 0.1 + 0.2}, lines=[line("新年快乐 🎉", insult=1 / 3)], prompt_similarity=-0.25)
    assert evidence_from_json(evidence_to_json(seen)) == seen
    with_embedding = evidence_from_json(evidence_to_json(seen), embedding=(0.6, 0.8))
    assert with_embedding.embedding == (0.6, 0.8)
    assert with_embedding.fused == seen.fused


def test_what_is_no_number_stays_none():
    seen = evidence_from_json(evidence_to_json(evidence({"insult": math.nan, "hate": math.inf})))
    scores = {category.value: fused.score for category, fused in seen.fused.items()}
    assert math.isnan(scores["insult"])
    assert math.isinf(scores["hate"])


def test_other_json_is_refused():
    with pytest.raises(ValueError, match="image"):
        evidence_from_json(b"{}")
