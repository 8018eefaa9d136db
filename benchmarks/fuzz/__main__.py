"""`make fuzz`: 20,000 hostile images and ten minutes at most. Fails where a target is missed."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from benchmarks.fuzz import report
from benchmarks.fuzz.bombs import bombs
from benchmarks.fuzz.cases import distinct, sample
from benchmarks.fuzz.damage import damaged
from benchmarks.fuzz.guided import fuzz, requests
from benchmarks.fuzz.seeds import seeds
from benchmarks.fuzz.served import serve
from benchmarks.fuzz.shipped import installed, of_pillow
from benchmarks.fuzz.tally import tally, undecodable
from benchmarks.targets import OUT, show

KEPT = OUT / "fuzz" / "kept"
CARDS = Path(__file__).parents[1] / "demo" / "cards"


def main() -> int:
    """0 when every target is met."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=20_270_217)
    parser.add_argument("--each", type=int, default=75, help="damaged files of each seed and way")
    parser.add_argument("--served", type=int, default=400, help="images through the whole service; 0: none")
    parser.add_argument("--guided-s", type=int, default=60, help="seconds of atheris for each entry")
    asked = parser.parse_args()
    started = time.monotonic()

    whole = seeds()
    good = [case.data for case in whole]
    collected = list(of_pillow())
    notes = [] if collected else ["Pillow's tests could not be fetched: only installed packages' files were used."]
    cases = list(distinct(iter([*damaged(whole, asked.each, asked.seed), *bombs(), *installed(), *collected])))
    print(f"{len(cases)} hostile images")
    cards = [path.read_bytes() for path in sorted(CARDS.iterdir()) if path.suffix != ".json"]
    served = serve(sample(cases, asked.served, asked.seed), cards) if asked.served else None
    bad_allows = undecodable(served.allowed) if served else []
    found = tally(cases, good, KEPT)
    runs = [
        fuzz("decode", good, seconds=asked.guided_s, seed=asked.seed % 2**31, kept=KEPT),
        fuzz("wire", requests(), seconds=asked.guided_s, seed=asked.seed % 2**31, kept=KEPT),
    ]

    measured = report.targets(found, runs, served, bad_allows, time.monotonic() - started)
    report.save(measured, found, runs, served, bad_allows, notes)
    report.into_document(report.section(measured, found, served, notes))
    show(measured, "make fuzz")
    return 0 if all(target.met is not False for target in measured) else 1


if __name__ == "__main__":
    sys.exit(main())
