"""Draws cards and asks a running gatepost about them, several at a time."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from tqdm import tqdm

from benchmarks import stack
from benchmarks.evaluate import drawing
from benchmarks.evaluate.case import Case
from benchmarks.evaluate.rows import Row, Rows
from gatepost_client import AsyncClient, SpanKind, Verdict

CONCURRENCY = 4
DRAWERS = 2
TIMEOUT_S = 120.0


class NotJudgedError(RuntimeError):
    """gatepost gave no verdict for a card; nothing can be said of the suite."""


def judged(cases: Sequence[Case], rows: Rows, concurrency: int = CONCURRENCY) -> list[Row]:
    """A row for each case, in their order; only those that `rows` does not hold are asked for.

    NotJudgedError where a card was held for want of an answer, StackFailedError where gatepost does not start.
    """
    missing = [case for case in cases if case.key not in rows]
    if missing:
        with stack.running() as gatepost:
            asyncio.run(_ask(gatepost.address, missing, rows, concurrency))
    return [rows[case.key] for case in cases]


async def _ask(address: str, cases: Sequence[Case], rows: Rows, concurrency: int) -> None:
    left: Iterator[Case] = iter(cases)
    loop = asyncio.get_running_loop()
    spawn = multiprocessing.get_context("spawn")  # a fork of a process that holds gRPC's threads may hang
    with (
        ProcessPoolExecutor(min(DRAWERS, concurrency), mp_context=spawn) as pool,
        tqdm(total=len(cases), unit="card", smoothing=0.02, disable=None) as progress,
    ):
        async with AsyncClient(address, timeout=TIMEOUT_S) as client:

            async def worker() -> None:
                for case in left:
                    progress.set_description(case.suite)
                    image = await loop.run_in_executor(pool, drawing.draw, case)
                    verdict = await client.gate(
                        image, prompt=case.prompt, expected_text=case.asked, locale=case.language
                    )
                    if verdict.error is not None:
                        raise NotJudgedError(f"{case.suite} {case.key}: {verdict.error}")
                    rows.append(recorded(case, verdict))
                    progress.update()

            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(concurrency):
                        group.create_task(worker())
            except ExceptionGroup as failed:
                raise failed.exceptions[0] from None  # the first says what is wrong, the others say it again


def recorded(case: Case, verdict: Verdict) -> dict[str, Any]:
    """What cards.jsonl keeps of a card and its verdict."""
    text: dict[str, float] = {}
    for line in verdict.lines:
        for category, score in line.scores.items():
            text[category.value] = max(text.get(category.value, 0.0), round(score, 4))
    return {
        "key": case.key,
        **asdict(case),
        "judged": datetime.now(UTC).isoformat(timespec="seconds"),
        "decision": verdict.decision.value,
        "reasons": [
            {"category": reason.category.value if reason.category else "", "code": reason.code.value,
             "source": reason.source, "detail": reason.detail, "decision": reason.decision.value}
            for reason in verdict.reasons
        ],
        "scores": {category.value: round(score, 4) for category, score in verdict.scores.items()},
        "sources": {category.value: source for category, source in verdict.score_sources.items() if source != "none"},
        "text_scores": text,
        "image_scores": {finding.category.value: round(finding.score, 4) for finding in verdict.image_findings},
        "prompt_similarity": verdict.prompt_similarity,
        "read": [[line.text, round(line.confidence, 2)] for line in verdict.lines],
        "missing": [span.asked for span in verdict.asked_text.of(SpanKind.MISSING)] if verdict.asked_text else [],
        "timings_ms": {part: round(spent, 1) for part, spent in verdict.timings_ms.items()},
    }  # fmt: skip
