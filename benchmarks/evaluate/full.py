"""Everything that `make evaluate` measures, as one document."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import corpora
from benchmarks.cards import Split
from benchmarks.evaluate import figures, images, labelled, ocr, plan, weights
from benchmarks.evaluate.case import KIND, Suite
from benchmarks.evaluate.rows import Row, Rows, fingerprint
from benchmarks.evaluate.run import judged
from benchmarks.targets import OUT, machine

FOLDER = OUT / "evaluate"
_KIND_OF_DEV = 400  # cards that the evasion card's threshold is chosen on
_TIMED = 40  # cards judged one at a time, for the shares of their time
_TIMED_LINES = 200


def cards(split: Split, sizes: plan.Sizes, suite: Suite | None = None, limit: int | None = None) -> list[Row]:
    """Judged cards of a split, from cards.jsonl (dev: cards-dev.jsonl) as far as this system judged them before."""
    wanted = plan.cases(split, sizes, suite)[:limit]
    name = "cards.jsonl" if split is Split.TEST else f"cards-{split}.jsonl"
    rows = Rows(FOLDER / name, _system())
    found = judged(wanted, rows)
    if suite is None and limit is None and split is Split.TEST:
        rows.keep([case.key for case in wanted])
    return found


def measure(split: Split, data: Path | None, share: float = 1.0) -> dict[str, Any]:
    """Every suite, with a share of its cards. The data sets are skipped, and said to be, where `data` is None."""
    started = time.monotonic()
    rows = cards(split, plan.FULL.share(share))
    kind_of_dev = cards(Split.DEV, plan.FULL, Suite.ORDINARY, max(100, round(share * _KIND_OF_DEV)))
    text = labelled.Lines()
    quality: dict[str, Any] = {
        "split": split.value,
        "share": share,
        "system": _system(),
        "judged": [side(row["judged"] for row in rows) for side in (min, max)],
        "machine": dict(machine()),
        **of_cards(rows, kind_of_dev),
        "images": images.measure(split),
        "ocr": ocr.measure(),
        "labelled": labelled.measure(data, text) if data else {"skipped": "no data folder was given (DATA=folder)"},
        "cost": cost(split, text),
        "weights": weights.sizes(),
    }
    return quality | {"minutes": round((time.monotonic() - started) / 60, 1)}


@functools.cache
def _system() -> str:
    """The system that this process measures, even where files change meanwhile."""
    return fingerprint()


def of_cards(rows: Sequence[Row], kind_of_dev: Sequence[Row]) -> dict[str, Any]:
    """The parts of the document that come from judged cards."""
    by = {suite: [row for row in rows if row["suite"] == suite] for suite in Suite}
    kind = [row for suite in KIND for row in by[suite]]
    return {
        "suites": figures.suites(rows),
        "plain_abuse": figures.caught(by[Suite.PLAIN_ABUSE], "language", "style", "category"),
        "evasions": figures.evasions(
            by[Suite.EVADED_ABUSE], by[Suite.PLAIN_ABUSE], kind_of_dev, by[Suite.ORDINARY]
        ),
        "implicit_malice": figures.caught(by[Suite.IMPLICIT_MALICE], "language", "category"),
        "kind_words_cruel_picture": figures.caught(by[Suite.CRUEL_PICTURE], "picture", "language"),
        "cruel_words_kind_picture": figures.caught(by[Suite.CRUEL_WORDS], "category", "language"),
        "pairing": {
            suite.value: figures.pairing(by[suite], kind) for suite in (Suite.CRUEL_PICTURE, Suite.CRUEL_WORDS)
        },
        "off_script": figures.off_script(by[Suite.UNEXPECTED], by[Suite.AS_ASKED]),
        "kind_ordinary": figures.held_back(by[Suite.ORDINARY], "language", "style"),
        "kind_tricky": figures.held_back(by[Suite.TRICKY], "language", "style"),
        "kind_condolence": figures.held_back(by[Suite.CONDOLENCE], "language"),
        "separation": figures.separation(rows),
        "calibration": figures.calibration(rows),
    }  # fmt: skip


def cost(split: Split, text: labelled.Lines) -> dict[str, Any]:
    """CPU time of a line by itself, and the stages' share of cards that are judged one at a time."""
    entries = [line for entry in corpora.load(split.value, "kind_ordinary") for line in entry.lines]
    timed = plan.cases(split, plan.FULL, Suite.ORDINARY)[:_TIMED]
    rows = judged(timed, Rows(FOLDER / "cards-timed.jsonl", _system()), concurrency=1)
    parts = {part for row in rows for part in row["timings_ms"]}
    spent = {part: [row["timings_ms"].get(part, 0.0) for row in rows] for part in sorted(parts)}
    return {
        "line": labelled.speed(text, list(islice(entries, _TIMED_LINES))),
        "text_share_percent": round(100 * sum(spent["text_toxicity"]) / sum(spent["total"]), 2),
        "stages_p50_ms": {part: round(float(np.median(values)), 1) for part, values in spent.items()},
        "cards": len(rows),
    }
