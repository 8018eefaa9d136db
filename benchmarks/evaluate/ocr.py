"""Suite (b): what OCR reads of cards of unseen seeds, by style; evaluate_ocr.py holds it against paddleocr."""

from __future__ import annotations

from typing import Any

from benchmarks.cards import STYLES
from benchmarks.evaluate_ocr import HELD_OUT, GatepostReader, evaluate

EACH = 6  # cards a style


def measure(each: int = EACH) -> dict[str, Any]:
    """Recall, character error rate and exact lines in per cent, by style."""
    tallies, _ = evaluate({"gatepost": GatepostReader({}).read}, list(STYLES), range(HELD_OUT, HELD_OUT + each))
    return {
        style: {"lines": one.lines, "recall": one.recall, "cer": one.cer, "exact": one.exact_share, "stray": one.stray}
        for style, one in tallies["gatepost"].items()
    }
