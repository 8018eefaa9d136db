"""One watch over a verdict, whatever connections it takes. Pure: calls, sleeps and dice belong to the clients."""

from __future__ import annotations

from dataclasses import replace

import grpc

from gatepost.v1 import moderation_pb2
from gatepost_client._answers import verdict_of
from gatepost_client._retry import RetryPolicy
from gatepost_client.errors import GatepostError, Unavailable
from gatepost_client.verdict import Decision, Verdict

_LONGEST_RUN = 10  # attempts after which the back-off grows no more


class WatchSession:
    """What was told so far, and when to try again. A watch gives up with its deadline, not with a count."""

    def __init__(self, retry: RetryPolicy, *, until_people_decide: bool = False) -> None:
        self._retry = replace(retry, retries=_LONGEST_RUN)
        self._people = until_people_decide
        self._attempts = 0
        self._last: Verdict | None = None

    @property
    def done(self) -> bool:
        """Whether nothing more can come of it, by itself or from people where they are waited for."""
        return self.final and not (self._people and self._last is not None and _waits(self._last))

    @property
    def final(self) -> bool:
        """Whether the verdict is not pending: then a server that ends the watch in good order has no more to tell."""
        return self._last is not None and not self._last.pending

    def take(self, answer: moderation_pb2.WatchVerdictResponse) -> Verdict | None:
        """The verdict; None where it was told before a reconnection. ServerError where it cannot be read."""
        verdict = verdict_of(answer, "")
        self._attempts = 0
        told, self._last = self._last, verdict
        return None if verdict == told else verdict

    def delay(self, error: GatepostError, *, left: float, dice: float) -> float:
        """Seconds until the next connection. Raises `error` where another one cannot help, or not in time."""
        self._attempts = min(self._attempts + 1, _LONGEST_RUN)
        delay = self._retry.delay(error, attempts=self._attempts, left=left, dice=dice)
        if delay is None:
            raise error
        return delay


def _waits(verdict: Verdict) -> bool:
    return verdict.decision is Decision.REVIEW if verdict.people is None else verdict.people.waiting


def broken_off() -> GatepostError:
    """The server ended a watch over a verdict that is not final."""
    return Unavailable("the server broke off", reason="WATCH_BROKEN_OFF", code=grpc.StatusCode.UNAVAILABLE)
