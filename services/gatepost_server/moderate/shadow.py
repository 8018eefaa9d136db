"""Policies that are tried on live traffic: what they would have said is told, and nothing acts on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from gatepost_server.domain.decision import ModerationRequest, Verdict
from gatepost_server.domain.evidence import Evidence
from gatepost_server.domain.labels import Decision
from gatepost_server.policy.asked import unquoted, with_quoted
from gatepost_server.policy.judge import judge
from gatepost_server.policy.load import Policy
from gatepost_server.text.lexicon import Lexicon

_log = structlog.get_logger("gatepost.shadow")

MOST = 3  # policies of a tenant
_WAITING = 64  # verdicts; what comes while so many wait is not tried


class Told(Protocol):
    """Who hears what shadow policies say."""

    def shadow(self, policy: str, *, decided: Decision, would: Decision) -> None: ...

    def shadow_lost(self, policy: str, *, why: str) -> None: ...


@dataclass(frozen=True, slots=True)
class _Seen:
    evidence: Evidence  # as the models gave it
    request: ModerationRequest  # as it was sent
    verdict: Verdict
    policies: tuple[Policy, ...]


class Shadows:
    """Judges in a thread while `run` runs, after the answer was given. Belongs to one event loop."""

    def __init__(
        self,
        policies_of: Callable[[str], Sequence[Policy]],
        told: Told,
        *,
        lexicon: Lexicon | None = None,
        waiting: int = _WAITING,
    ) -> None:
        """`policies_of` gives those of a tenant; it may raise."""
        self._policies_of = policies_of
        self._told = told
        self._lexicon = lexicon
        self._queue: asyncio.Queue[_Seen] = asyncio.Queue(waiting)

    def see(self, evidence: Evidence, request: ModerationRequest, verdict: Verdict) -> None:
        """Take note of a verdict, at once and whatever happens: never raises, never waits."""
        try:
            found = self._policies_of(request.tenant)
            policies = tuple(each for each in found if each.version != verdict.judgement.policy_version)
            if not policies:
                return
            self._queue.put_nowait(_Seen(evidence, request, verdict, policies))
        except asyncio.QueueFull:
            for policy in policies:
                self._told.shadow_lost(policy.name, why="full")
        except Exception as error:  # noqa: BLE001 - a verdict must not depend on what only watches it
            _log.error("shadow_failed", tenant=request.tenant, error=type(error).__name__)

    async def run(self) -> None:
        """Work until cancelled; what waits then is not tried."""
        while True:
            seen = await self._queue.get()
            for policy in seen.policies:
                try:
                    would = await asyncio.to_thread(self._would, seen, policy)
                except Exception as error:  # noqa: BLE001 - the next ones must be tried all the same
                    _log.error("shadow_failed", policy=policy.name, error=type(error).__name__)
                    self._told.shadow_lost(policy.name, why="failed")
                else:
                    self._tell(seen.verdict, policy, would)
            self._queue.task_done()

    async def settled(self) -> None:
        """Until everything that was seen has been tried, while `run` runs."""
        await self._queue.join()

    def _would(self, seen: _Seen, policy: Policy) -> Decision:
        asked = with_quoted(seen.request, policy)
        evidence = unquoted(seen.evidence, seen.request, asked)
        return judge(evidence, asked, policy, lexicon=self._lexicon)[1].decision

    def _tell(self, verdict: Verdict, policy: Policy, would: Decision) -> None:
        decided = verdict.judgement.decision
        self._told.shadow(policy.name, decided=decided, would=would)
        if would is not decided:
            _log.info(
                "shadow_flip",
                verdict=verdict.name,
                tenant=verdict.tenant,
                policy=policy.name,
                version=policy.version,
                decided=decided.value,
                would=would.value,
            )
