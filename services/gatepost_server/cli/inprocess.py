"""A Scorer over the ensemble in this process: where the request side and the model side meet without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gatepost_server.cli.settings import default_repository
from gatepost_server.domain.decision import ModerationRequest
from gatepost_server.domain.errors import GatepostError
from gatepost_server.domain.evidence import Evidence
from gatepost_server.policy.book import open_book
from gatepost_server.records.sql_bank import SqlBank
from gatepost_server.rescan.own_stages import OwnStages
from gatepost_server.scoring.base import Priority
from gatepost_server.serving.ensemble import Ensemble
from gatepost_server.stages.base import Arrays, text_array
from gatepost_server.tensors.codec import decode_evidence


class InProcessScorer:
    """Batches whatever waits, at most `batch` images, and runs one batch at a time in a thread."""

    def __init__(self, ensemble: Ensemble, *, batch: int) -> None:
        self._ensemble = ensemble
        self._batch = batch
        self._waiting: list[tuple[Arrays, asyncio.Future[Arrays]]] = []
        self._running: asyncio.Task[None] | None = None

    async def score(
        self, request: ModerationRequest, *, timeout_s: float, priority: Priority = Priority.INTERACTIVE
    ) -> Evidence:
        """As Scorer.score; there is no order of urgency and no queue that refuses."""
        del priority
        answer: asyncio.Future[Arrays] = asyncio.get_running_loop().create_future()
        self._waiting.append((_arrays(request), answer))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        return decode_evidence(await asyncio.wait_for(answer, timeout_s))

    async def ready(self) -> bool:
        """Always: the nets are loaded."""
        return True

    async def close(self) -> None:
        """Nothing to let go of but what runs."""
        if self._running is not None:
            await self._running

    async def _run(self) -> None:
        while batch := self._waiting[: self._batch]:
            del self._waiting[: self._batch]
            results: Sequence[Arrays | GatepostError] = await asyncio.to_thread(
                self._ensemble.run, [arrays for arrays, _ in batch]
            )
            for (_, answer), result in zip(batch, results, strict=True):
                if answer.done():
                    continue
                if isinstance(result, GatepostError):
                    answer.set_exception(result)
                else:
                    answer.set_result(result)


@dataclass(frozen=True)
class MakeOwnStages:
    """Loads the nets where it is called: a worker's MakeJudge."""

    environment: Mapping[str, str]
    policies: Path | None
    batch: int
    repository: Path | None = None  # None: that of the worker's own installation, which may be on another machine
    bank: str = ""  # as SqlBank.at; "" for none

    def __call__(self) -> OwnStages:
        """The judge of this worker."""
        ensemble = Ensemble(self.repository or default_repository(), self.environment)
        bank = SqlBank.at(self.bank) if self.bank else None
        return OwnStages(InProcessScorer(ensemble, batch=self.batch), open_book(self.policies), bank)


def _arrays(request: ModerationRequest) -> Arrays:
    return {
        "IMAGE": text_array([request.image]),
        "PROMPT": text_array([request.prompt]),
        "EXPECTED": text_array(request.expected_text),
    }
