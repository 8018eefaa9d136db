"""The served gate on a machine with a GPU, beside what a machine without one sees: out/bench/gpu.json.

`python -m benchmarks.gpu.served --reference-only` on the CPU writes what is seen there (out/bench/gpu-reference.json);
`python -m benchmarks.gpu.served` on the GPU machine takes that file along, if it is there. Parameters of the stages
come from the environment (GATEPOST_MODEL_..., docs/gpu.md).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import targets
from benchmarks.gpu.agreement import Seen, from_plain, plain, same_texts, score_difference, see
from benchmarks.gpu.in_process import in_process_rate
from benchmarks.gpu.utilisation import watched
from benchmarks.load import Answer, endless, load, once, paced, quantiles, rate
from benchmarks.stack import running
from benchmarks.targets import Target
from benchmarks.throughput.cards import encoded

CALLERS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
LEAST_RATE, MOST_P99_MS, SHARE_OF_PEAK, LEAST_SHARE = 1_000.0, 150.0, 0.7, 0.6
LEAST_SAME_TEXTS, MOST_SCORE_DIFFERENCE = 0.99, 0.01
BATCH = 8  # images at once without a server, as many as a step of the ensemble takes
READY_S = 300.0
EXACT = {
    "GATEPOST_MODEL_PRECISION": "f32"
}  # bf16, the CPU's own choice, moves scores by more than the difference allowed
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
        figures[count] = {"images_per_second": rate(answers, count), **_waits(answers), "busy_percent": busy.means()}
    return figures


def at_random(address: str, images: Sequence[bytes], a_second: float, seconds: float) -> Figures:
    """Waits by part in ms and utilisation where images come at random, so many a second in the mean."""
    with watched() as busy:
        answers = asyncio.run(paced(address, endless(images), a_second, seconds=seconds))
    return {"a_second": a_second, **_waits(answers), "busy_percent": busy.means()}


def _waits(answers: Sequence[Answer]) -> Figures:
    waits = [answer.ms for answer in answers]
    return {
        "requests": len(answers),
        "p50_ms": float(np.percentile(waits, 50)),
        "p99_ms": float(np.percentile(waits, 99)),
        "refusals": sum(answer.refusals for answer in answers),
        "held": sum(not answer.judged for answer in answers),
        "parts_ms": quantiles(answers),
    }


def peak_of(figures: Mapping[int, Figures]) -> float:
    """The highest rate of a sweep, in images a second."""
    return max(float(each["images_per_second"]) for each in figures.values())


def rows(peak: float, random_ms: float, alone: float) -> list[Target]:
    """The rate, the wait at 70 % of it, and the rate beside that of the same stages without a server."""
    return [
        targets.at_least("peak", peak, LEAST_RATE, "images/s", COMMAND),
        targets.at_most("p99 where images come at random, at 70 % of the peak", random_ms, MOST_P99_MS, "ms", COMMAND),
        targets.reported("the same stages in processes without a server", alone, "images/s", COMMAND),
        targets.at_least("peak / rate without a server", peak / alone, LEAST_SHARE, "x", COMMAND),
    ]


def agreement(seen: Sequence[Seen], reference: Sequence[Seen]) -> list[Target]:
    """Whether what is seen here is what the reference saw."""
    texts, scores = same_texts(seen, reference), score_difference(seen, reference)
    return [
        targets.at_least("texts as on the CPU", texts, LEAST_SAME_TEXTS, "", COMMAND),
        targets.at_most("largest difference of a score", scores, MOST_SCORE_DIFFERENCE, "", COMMAND),
    ]


def _write_reference(images: Sequence[bytes], file: Path) -> None:
    with running(ready_timeout_s=READY_S, environment=EXACT) as stack:
        seen = see(stack.address, images)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(plain(seen), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _settings() -> Mapping[str, str]:
    return {
        name: value
        for name, value in sorted(os.environ.items())
        if name.startswith(("GATEPOST_MODEL_", "GATEPOST_TRITON_"))
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Starts the gate, measures, writes and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--callers", type=int, nargs="+", default=CALLERS)
    parser.add_argument("--seconds", type=float, default=10.0, help="of load for each number of callers")
    parser.add_argument("--cards", type=int, help="only the first so many")
    parser.add_argument("--processes", type=int, default=4, help="that run the stages without a server, beside it")
    parser.add_argument("--reference", type=Path, default=REFERENCE)
    parser.add_argument("--reference-only", action="store_true", help="write what this machine sees, measure nothing")
    parser.add_argument("--clip", default="", help="a model that open_clip knows, with random weights: ViT-L-14")
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args(arguments)
    images = encoded()[: asked.cards]
    if asked.reference_only:
        _write_reference(images, asked.reference)
        return
    more = {"GATEPOST_MODEL_CLIP_MODEL": asked.clip} if asked.clip else {}
    with running(ready_timeout_s=READY_S, environment=more) as stack:
        seen = see(stack.address, images)
        figures = sweep(stack.address, images, asked.callers, asked.seconds)
        peak = peak_of(figures)
        random = at_random(stack.address, images, SHARE_OF_PEAK * peak, asked.seconds)
    alone = in_process_rate(images, more, processes=asked.processes, batch=BATCH, seconds=asked.seconds)
    made = rows(peak, random["p99_ms"], alone)
    if asked.reference.exists() and not asked.clip:  # random weights see nothing
        made += agreement(seen, from_plain(json.loads(asked.reference.read_text())))
    targets.write(
        asked.out, made, clip=asked.clip or "shipped", settings=_settings(), by_callers=figures, at_random=random
    )
    targets.show(made, "The served gate")


if __name__ == "__main__":
    main()
