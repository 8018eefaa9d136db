"""A fleet of replicas behind a balancer, and those who call it, as events (simpy).

A replica is one gateway and its models. Who is let in is decided by the gateway's own `Admission`, and who is refused
comes back as the SDK does, by its own `RetryPolicy`. The models work on one image after the other, each for a time
drawn from those measured: on a CPU images gain nothing from each other's company, a batch takes as long as its images
one by one. An image whose deadline passes in the queue is dropped there, one that is worked on is finished (ADR 0012).
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import simpy

from gatepost_client._options import DEFAULT_TIMEOUT
from gatepost_client._retry import RetryPolicy
from gatepost_client.errors import Overloaded
from gatepost_server.domain.errors import GatepostError
from gatepost_server.gateway.admission import Admission, AdmissionLimits, Ticket

IMAGE_BYTES = 200_000
MARGIN_S = 0.15  # of the deadline, kept to write down a HOLD: deadline_margin_s
Steps = Generator[simpy.Event, Any, Any]


class Outcome(StrEnum):
    """What became of an image."""

    JUDGED = "judged"
    HELD = "held"  # no verdict within the deadline: HOLD, pending
    REFUSED = "refused"  # RESOURCE_EXHAUSTED, also after the SDK's retries; gate() makes a HOLD of it


@dataclass(frozen=True, slots=True)
class Seen:
    """One image as its caller saw it, in seconds."""

    began: float
    wait: float
    outcome: Outcome
    refusals: int


class Replica:
    """One gateway and its models."""

    def __init__(
        self, world: simpy.Environment, work_s: Sequence[float], limits: AdmissionLimits, chance: random.Random
    ) -> None:
        self._world = world
        self._work_s = work_s
        self._chance = chance
        self._models = simpy.Resource(world)
        self.admission = Admission(limits)

    def judge(self, ticket: Ticket, deadline: float) -> Steps:
        """Keeps its place until the work is done, whoever still waits for it. Gives whether it was judged."""
        with ticket, self._models.request() as turn:
            yield turn
            if self._world.now >= deadline:
                return False
            yield self._world.timeout(self._chance.choice(self._work_s))
            return True


Balancer = Callable[[Sequence[Replica], random.Random], Iterator[Replica]]


def least_request(replicas: Sequence[Replica], chance: random.Random) -> Iterator[Replica]:
    """The one of two, drawn, that has fewer images inside: Envoy's LEAST_REQUEST with its default of two choices."""
    while True:
        yield min(chance.choices(replicas, k=2), key=lambda replica: replica.admission.images)


def round_robin(replicas: Sequence[Replica], chance: random.Random) -> Iterator[Replica]:
    """One after the other, from one that is drawn."""
    start = chance.randrange(len(replicas))
    return itertools.cycle([*replicas[start:], *replicas[:start]])


def at_random(replicas: Sequence[Replica], chance: random.Random) -> Iterator[Replica]:
    """Any: what is left of balancing where each caller keeps one connection and all send alike."""
    while True:
        yield chance.choice(replicas)


class Fleet:
    """Replicas behind a balancer, and what callers saw of them."""

    def __init__(
        self,
        replicas: int,
        work_s: Sequence[float],
        *,
        seed: int,
        balancer: Balancer = least_request,
        limits: AdmissionLimits | None = None,
        timeout_s: float = DEFAULT_TIMEOUT,
        retry: RetryPolicy | None = None,
    ) -> None:
        """`work_s`: seconds of the models for an image, to draw from."""
        self.world = simpy.Environment()
        self.chance = random.Random(seed)
        self.seen: list[Seen] = []
        self._timeout_s = timeout_s
        self._retry = retry or RetryPolicy()
        made = [Replica(self.world, work_s, limits or AdmissionLimits(), self.chance) for _ in range(replicas)]
        self._next = balancer(made, self.chance)

    def call(self) -> Steps:
        """One image, from its caller's side, to its verdict, HOLD or last refusal."""
        began, world = self.world.now, self.world
        deadline = began + self._timeout_s
        for refusals in itertools.count():
            replica = next(self._next)
            try:
                ticket = replica.admission.enter(IMAGE_BYTES)
            except GatepostError as error:
                pause = self._pause(error, refusals + 1, deadline - world.now)
                if pause is None:
                    return self._saw(began, Outcome.REFUSED, refusals + 1)
                yield world.timeout(pause)
                continue
            judged = world.process(replica.judge(ticket, deadline))
            yield judged | world.timeout(max(0.0, deadline - MARGIN_S - world.now))
            done = judged.triggered and judged.value
            return self._saw(began, Outcome.JUDGED if done else Outcome.HELD, refusals)

    def _pause(self, error: GatepostError, attempts: int, left: float) -> float | None:
        told = Overloaded(error.message, retry_after=error.retry_after_s)
        return self._retry.delay(told, attempts=attempts, left=left, dice=self.chance.random())

    def _saw(self, began: float, outcome: Outcome, refusals: int) -> None:
        self.seen.append(Seen(began, self.world.now - began, outcome, refusals))
