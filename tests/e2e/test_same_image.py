"""The same image sent again is not looked at again, and judged again all the same."""

from __future__ import annotations

import urllib.request

import pytest

from benchmarks.stack import running
from gatepost_client import Client, Decision

MEMORY = {
    "GATEPOST_GATEWAY_EVIDENCE_CACHE_BYTES": str(32 << 20),
    "GATEPOST_GATEWAY_CANARY_INTERVAL_S": "0",  # on a machine that is busy they could fail, and all would be forgotten
}
STAGES = ("decode", "ocr_detect", "ocr_recognize", "text_toxicity", "clip", "fusion")


@pytest.mark.timeout(420)
def test_the_same_bytes_take_the_models_once(card):
    with running(environment=MEMORY, ready_timeout_s=300) as stack, Client(stack.address, timeout=60) as client:
        first = client.moderate(card["new_year"], expected_text=["新年快乐", "仕途顺遂"])
        again = client.moderate(card["new_year"], expected_text=["新年快乐", "仕途顺遂"])
        others = client.moderate(card["new_year"], expected_text=["新年快乐"])
        assert (first.decision, again.decision) == (Decision.ALLOW, Decision.ALLOW)
        assert first.name != again.name
        assert again.scores == first.scores
        assert all(first.timings_ms[stage] > 0.0 for stage in STAGES)
        assert not any(again.timings_ms[stage] for stage in STAGES)
        assert others.timings_ms["ocr_detect"] > 0.0  # held against other texts, it is another question
        with urllib.request.urlopen(f"http://{stack.http}/metrics", timeout=10) as page:
            figures = page.read().decode()
        assert 'gatepost_images_looked_up_total{lookup="hit"} 1.0' in figures
        assert 'gatepost_images_looked_up_total{lookup="miss"} 2.0' in figures
