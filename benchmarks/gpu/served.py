"""The served gate on a machine with a GPU, beside what a machine without one sees: out/bench/gpu.json.

`python -m benchmarks.gpu.served --reference-only` on the CPU writes what is seen there (out/bench/gpu-reference.json);
`python -m benchmarks.gpu.served` on the GPU machine takes that file along, if it is there. Parameters of the stages
come from the environment (GATEPOST_MODEL_..., docs/gpu.md).
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import targets
from benchmarks.gpu.agreement import Seen, from_plain, plain, same_texts, score_difference, see
from benchmarks.gpu.utilisation import watched
from benchmarks.load import endless, load, once, quantiles, rate
from benchmarks.stack import running
from benchmarks.targets import Target
from benchmarks.throughput.cards import encoded

CALLERS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
LEAST_RATE, MOST_P99_MS, SHARE_OF_PEAK = 1_000.0, 150.0, 0.7
LEAST_SAME_TEXTS, MOST_SCORE_DIFFERENCE = 0.99, 0.01
COMMAND = "make bench-gpu"
OUT, REFERENCE = (targets.OUT / "bench" / name for name in ("gpu.json", "gpu-reference.json"))

Figures = Mapping[str, Any]


def sweep(address: str, images: Sequence[bytes], callers: Sequence[int], seconds: float) -> dict[int, Figures]:
    """Images a second, waits by part in ms and utilisation, by callers at a time."""
    asyncio.run(load(address, once(images), 4))  # shapes are seen, and recorded when they come again
    asyncio.run(load(address, once(images), 4))
    figures: dict[int, Figures] = {}
    for count in callers:
        with watched() as busy:
            answers = asyncio.run(load(address, endless(images), count, seconds=seconds))
        waits = [answer.ms for answer in answers]
        figures[count] = {
            "requests": len(answers),
            "images_per_second": rate(answers, count),
            "p50_ms": float(np.percentile(waits, 50)),
            "p99_ms": float(np.percentile(waits, 99)),
            "refusals": sum(answer.refusals for answer in answers),
            "held": sum(not answer.judged for answer in answers),
            "parts_ms": quantiles(answers),
            "busy_percent": busy.means(),
        }
    return figures


def rows(figures: Mapping[int, Figures], seen: Sequence[Seen], reference: Sequence[Seen] | None) -> list[Target]:
    """Rates and waits against their targets, and the agreement where there is a reference."""
    peak = max(each["images_per_second"] for each in figures.values())
    enough = min(n for n, each in figures.items() if each["images_per_second"] >= SHARE_OF_PEAK * peak)
    made = [
        targets.at_least("peak", peak, LEAST_RATE, "images/s", COMMAND),
        targets.at_most(
            f"p99 with the fewest callers ({enough}) of 70 % of the peak",
            figures[enough]["p99_ms"],
            MOST_P99_MS,
            "ms",
            COMMAND,
        ),
    ]
    if reference is not None:
        made += [
            targets.at_least("texts as on the CPU", same_texts(seen, reference), LEAST_SAME_TEXTS, "", COMMAND),
            targets.at_most(
                "largest difference of a score", score_difference(seen, reference), MOST_SCORE_DIFFERENCE, "", COMMAND
            ),
        ]
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    """Starts the gate, measures, writes and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--callers", type=int, nargs="+", default=CALLERS)
    parser.add_argument("--seconds", type=float, default=10.0, help="of load for each number of callers")
    parser.add_argument("--reference", type=Path, default=REFERENCE)
    parser.add_argument("--reference-only", action="store_true", help="write what this machine sees, measure nothing")
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args(arguments)
    images = encoded()
    with running(ready_timeout_s=300) as stack:
        seen = see(stack.address, images)
        figures = {} if asked.reference_only else sweep(stack.address, images, asked.callers, asked.seconds)
    if asked.reference_only:
        asked.reference.parent.mkdir(parents=True, exist_ok=True)
        asked.reference.write_text(json.dumps(plain(seen), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return
    reference = from_plain(json.loads(asked.reference.read_text())) if asked.reference.exists() else None
    made = rows(figures, seen, reference)
    targets.write(asked.out, made, by_callers=figures)
    targets.show(made, "The served gate")


if __name__ == "__main__":
    main()
