"""A Triton with a plan, and how many images a second it judges."""

from __future__ import annotations

import asyncio
import itertools
import math
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

from gatepost_server.cli.tuning.plan import Plan
from gatepost_server.domain.decision import ModerationRequest
from gatepost_server.domain.errors import GatepostError
from gatepost_server.scoring.base import Priority
from gatepost_server.scoring.triton import TritonEndpoint, TritonScorer
from gatepost_server.serving.server import StoppedError, TritonServer
from gatepost_server.serving.settings import TritonSettings

ANSWER_S = 300.0  # one image's, behind all others of its turn
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif"})


class TuneError(RuntimeError):
    """Nothing could be measured; the message says why."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One image to measure with."""

    name: str
    data: bytes


def read_samples(folder: Path) -> Sequence[Sample]:
    """The pictures in `folder`, by name. Raises TuneError where there is none, OSError."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not files:
        raise TuneError(f"{folder} holds no picture ({', '.join(sorted(SUFFIXES))})")
    return [Sample(path.name, path.read_bytes()) for path in files]


@dataclass(frozen=True, slots=True)
class Served:
    """A running Triton. Images are sent as the gateway sends them, without the gateway."""

    address: str
    samples: Sequence[Sample]

    stop: Event
    expected_rate: float = 1.0  # images a second, for turns to last as long as they should

    def rate(self, calls: int, seconds: float) -> float:
        """Images a second with `calls` at a time: the samples in turn, as often as takes about `seconds`.

        Raises TuneError, StoppedError.
        """
        return self.rate_over(calls, images_for(seconds, self.expected_rate, len(self.samples)))

    def rate_over(self, calls: int, images: int) -> float:
        """As `rate`, over so many images."""
        if self.stop.is_set():
            raise StoppedError
        asked = itertools.islice(itertools.cycle(self.samples), images)
        started = time.perf_counter()
        asyncio.run(self._ask(asked, calls))
        return images / (time.perf_counter() - started)

    async def _ask(self, asked: Iterator[Sample], calls: int) -> None:
        scorer = TritonScorer(TritonEndpoint(self.address), max_calls=calls)

        async def one_after_another() -> None:
            for sample in asked:
                try:
                    await scorer.score(
                        ModerationRequest("tune", sample.data), timeout_s=ANSWER_S, priority=Priority.INTERACTIVE
                    )
                except GatepostError as error:
                    raise TuneError(f"{sample.name} could not be judged: {error.message}") from error

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(calls):
                    group.create_task(one_after_another())
        except* TuneError as errors:
            raise errors.exceptions[0] from None
        finally:
            await scorer.close()


@contextmanager
def served(settings: TritonSettings, plan: Plan, samples: Sequence[Sample], stop: Event) -> Iterator[Served]:
    """Starts a Triton on free ports, warms it with every sample, ends it with the block.

    Raises TritonFailedError, StoppedError, RepositoryError, RuntimeMissingError, TuneError.
    """
    with tempfile.TemporaryDirectory(prefix="gatepost-tune-") as scratch:
        server = TritonServer(
            replace(
                settings,
                grpc_port=0,
                http_port=0,
                metrics_port=0,
                log_file=Path(scratch) / "triton.log",
                instances={**settings.instances, **plan.instances()},
                parameters={**settings.parameters, **plan.parameters()},
            )
        )
        try:
            server.wait_ready(stop)
            cold = Served(server.grpc_address, samples, stop)
            yield replace(cold, expected_rate=cold.rate_over(2 * max(plan.instances().values()), len(samples)))
        finally:
            server.stop()


def images_for(seconds: float, rate: float, samples: int) -> int:
    """How many images last about `seconds`: whole rounds of the samples, at least one."""
    return samples * max(1, math.ceil(seconds * rate / samples))
