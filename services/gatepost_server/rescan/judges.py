"""Who judges an image: the protocol that gateways and our own stages share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from gatepost_server.domain.decision import ModerationRequest, Verdict
from gatepost_server.rescan.failures import Failure, Halt

Answer = Verdict | Failure | Halt


class Judge(Protocol):
    """Gives verdicts. Belongs to one event loop, and to many concurrent calls in it."""

    async def judge(self, question: ModerationRequest) -> Answer:
        """A final verdict with evidence and embedding; a Failure that asking again cannot mend; a Halt where nobody
        can be asked for now. Waits while there is no room. Never raises for what the image or a gateway does.
        """
        ...

    async def close(self) -> None:
        """Let go of connections and nets."""
        ...


MakeJudge = Callable[[], Judge]  # called in the process and the event loop that use it
