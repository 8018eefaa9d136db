"""The GPU benchmark's script against a real gate, on the CPU."""

from __future__ import annotations

import pytest

from benchmarks.gpu.agreement import same_texts, score_difference, see
from benchmarks.gpu.served import at_random, peak_of, sweep
from benchmarks.stack import Stack


@pytest.mark.timeout(300)
def test_the_sweep_measures_a_served_gate_and_compares_what_it_sees(stack: Stack, card: dict[str, bytes]) -> None:
    images = [image for image in card.values() if image.startswith(b"\xff\xd8")][:2]
    seen = see(stack.address, images)
    figures = sweep(stack.address, images, (1, 2), seconds=4)
    for each in figures.values():
        assert each["images_per_second"] > 0
        assert 0 < each["p50_ms"] <= each["p99_ms"]
        assert each["parts_ms"]["client"]["p50"] == pytest.approx(each["p50_ms"])
    again = see(stack.address, images)
    assert same_texts(seen, again) == 1.0
    assert score_difference(seen, again) == 0.0
    random = at_random(stack.address, images, 0.7 * peak_of(figures), seconds=4)
    assert random["requests"] > 0
    assert 0 < random["p50_ms"] <= random["p99_ms"]
