"""A Scorer over the ensemble in this process: where the request side and the model side meet without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
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
    """Decodes `decoders` images at a time in threads, and beside that gives the nets whatever waits, at most `batch`
    images, one batch at a time.

    Threads and not workers of Ray: codecs let go of the GIL, and pixels are some forty times their file, which would
    crowd everything else out of Ray's memory.
    """

    def __init__(self, ensemble: Ensemble, *, batch: int, decoders: int = 1) -> None:
        self._ensemble = ensemble
        self._batch = batch
        self._decoders = ThreadPoolExecutor(decoders, thread_name_prefix="decoder")
        # Of decoded images, that many megabytes each: a batch that runs, the next one, and what is being decoded.
        self._room = asyncio.Semaphore(2 * batch + decoders)
        self._waiting: list[tuple[Arrays, asyncio.Future[Arrays]]] = []
        self._running: asyncio.Task[None] | None = None

    async def score(
        self, request: ModerationRequest, *, timeout_s: float, priority: Priority = Priority.INTERACTIVE
    ) -> Evidence:
        """As Scorer.score; there is no order of urgency and no queue that refuses."""
        del priority
        async with asyncio.timeout(timeout_s), self._room:
            loop = asyncio.get_running_loop()
            (decoded,) = await loop.run_in_executor(self._decoders, self._ensemble.decode, [_arrays(request)])
            if isinstance(decoded, GatepostError):
                raise decoded
            answer: asyncio.Future[Arrays] = loop.create_future()
            self._waiting.append((decoded, answer))
            if self._running is None or self._running.done():
                self._running = asyncio.create_task(self._run())
            return decode_evidence(await answer)

    async def ready(self) -> bool:
        """Always: the nets are loaded."""
        return True

    async def close(self) -> None:
        """Nothing to let go of but what runs."""
        if self._running is not None:
            await self._running
        self._decoders.shutdown()

    async def _run(self) -> None:
        while batch := self._waiting[: self._batch]:
            del self._waiting[: self._batch]
            results: Sequence[Arrays | GatepostError] = await asyncio.to_thread(
                self._ensemble.judge, [arrays for arrays, _ in batch]
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
    decoders: int = 1
    repository: Path | None = None  # None: that of the worker's own installation, which may be on another machine
    bank: str = ""  # as SqlBank.at; "" for none

    def __call__(self) -> OwnStages:
        """The judge of this worker."""
        ensemble = Ensemble(self.repository or default_repository(), self.environment)
        bank = SqlBank.at(self.bank) if self.bank else None
        return OwnStages(
            InProcessScorer(ensemble, batch=self.batch, decoders=self.decoders), open_book(self.policies), bank
        )


def _arrays(request: ModerationRequest) -> Arrays:
    return {
        "IMAGE": text_array([request.image]),
        "PROMPT": text_array([request.prompt]),
        "EXPECTED": text_array(request.expected_text),
    }
