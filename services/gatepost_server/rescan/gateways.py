"""Asks gateways, over the SDK: never gives up an image for want of room, and never asks for more room than there is."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gatepost_client import AsyncClient, Tls, Urgency, errors
from gatepost_client import Verdict as Told
from gatepost_server.domain.decision import ModerationRequest, Verdict
from gatepost_server.domain.errors import ErrorCode
from gatepost_server.records.codec import verdict_from_json
from gatepost_server.rescan.failures import Failure, Halt, SourceReason
from gatepost_server.rescan.judges import Answer
from gatepost_server.rescan.lanes import Lane, Lanes

_ATTEMPTS = 4  # of an image that a gateway fails on, before it is the image's fault


@dataclass(frozen=True, slots=True)
class Way:
    """Which gateways are asked, and how. Goes to every worker; the token is read from its file there, and again
    whenever the file changes.
    """

    targets: Sequence[str]
    in_flight: int = 8  # questions to each gateway at a time, at most
    answer_s: float = 90.0
    patience_s: float = 300.0  # without any answer from any gateway, until the job is paused
    token_file: Path | None = None
    root_certificates: Path | None = None  # PEM; with it, TLS


class Gateways:
    """A Judge over one or several gateways."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._lanes = Lanes(way.targets, most=way.in_flight)
        self._clients = {lane.name: _client(lane.name, way) for lane in self._lanes.lanes}

    async def judge(self, question: ModerationRequest) -> Answer:
        """As Judge.judge."""
        failed = 0
        began = time.monotonic()
        while True:
            entered = await self._lanes.enter(self._way.patience_s)
            if entered is None:
                return self._nobody("no gateway has room")
            lane, since = entered
            try:
                told = await self._asked(lane, question)
            except errors.GatepostError as error:
                answer = self._weigh(lane, since, error, began)
            else:
                answer = self._read(lane, told)
            finally:
                await self._lanes.leave(lane)
            if isinstance(answer, Failure) and answer.code in (ErrorCode.INTERNAL, ErrorCode.DEADLINE_EXCEEDED):
                failed += 1
                if failed < _ATTEMPTS:
                    continue
            if answer is not None:
                return answer

    async def close(self) -> None:
        """As Judge.close."""
        for client in self._clients.values():
            with contextlib.suppress(errors.GatepostError):
                await client.close()

    async def _asked(self, lane: Lane, question: ModerationRequest) -> Told:
        """The gateway's final answer; while it holds the image for want of time, the one that it gives later."""
        client = self._clients[lane.name]
        told = await client.moderate(
            question.image,
            prompt=question.prompt,
            expected_text=question.expected_text,
            locale=question.locale,
            policy=question.policy,
            labels=question.labels,
            request_id=question.request_id,
            evidence=False,
            embedding=True,
            record=True,
            urgency=Urgency.RESCAN,
        )
        if told.pending:
            self._lanes.too_much(lane, time.monotonic())
            watch = client.watch_verdict(
                told.name, evidence=False, embedding=True, record=True, timeout=self._way.patience_s
            )
            async for latest in watch:
                told = latest
        return told

    def _read(self, lane: Lane, told: Told) -> Answer:
        self._lanes.went_well(lane)
        if not told.record:
            return Halt(f"the gateway at {lane.name} is older than this gatepostd: it sends no records")
        try:
            verdict: Verdict = verdict_from_json(told.record)
        except ValueError:
            return Failure(ErrorCode.INTERNAL, SourceReason.ANSWER_INVALID, "a gateway's answer cannot be read")
        if verdict.pending:
            return Failure(ErrorCode.DEADLINE_EXCEEDED, "DEADLINE", "the image is still held")
        if verdict.evidence is None:
            return verdict
        return replace(verdict, evidence=replace(verdict.evidence, embedding=told.embedding))

    def _weigh(self, lane: Lane, since: float, error: errors.GatepostError, began: float) -> Answer | None:
        """What an error means for the image and for the way; None: ask again."""
        if isinstance(error, errors.Unauthenticated | errors.PermissionDenied):
            return Halt(f"the gateway at {lane.name} does not accept our credentials: {error.message}")
        if isinstance(error, errors.InvalidRequest):
            self._lanes.went_well(lane)
            if error.reason == "POLICY_UNKNOWN":
                return Halt(f"the gateway at {lane.name} has no such policy")
            return Failure(ErrorCode.INVALID_ARGUMENT, error.reason or "INVALID_ARGUMENT", error.message)
        if isinstance(error, errors.Overloaded):
            rest_s = error.retry_after or 0.5
            if rest_s > self._way.patience_s:
                return Halt(f"the gateway at {lane.name} takes no more for {rest_s:.0f} s: {error.message}")
            self._lanes.too_much(lane, since, rest_s=rest_s)
        elif isinstance(error, errors.DeadlineExceeded):
            self._lanes.too_much(lane, since, rest_s=0.5)
            return Failure(ErrorCode.DEADLINE_EXCEEDED, "DEADLINE", "it took too long, more than once")
        elif isinstance(error, errors.ServerError):
            self._lanes.too_much(lane, since, rest_s=0.2)
            return Failure(ErrorCode.INTERNAL, error.reason or "INTERNAL", error.message)
        else:  # Unavailable, Cancelled; NotFound for a verdict that a gateway took with it
            self._lanes.away(lane, since)
        if time.monotonic() - max(began, self._lanes.last_success) > self._way.patience_s:
            return self._nobody(error.message)
        return None

    def _nobody(self, why: str) -> Halt:
        return Halt(f"no gateway has answered for {self._way.patience_s:.0f} s ({why})")


def _client(target: str, way: Way) -> AsyncClient:
    return AsyncClient(
        target,
        tls=Tls(root_certificates=way.root_certificates) if way.root_certificates else False,
        token=None if way.token_file is None else lambda: _token(way.token_file),
        timeout=way.answer_s,
        retries=0,  # ours, for they know of the other gateways
    )


def _token(file: Path | None) -> str:
    """Read for every call: who renews it writes the file."""
    return "" if file is None else file.read_text().strip()
