"""Verdicts are written down before they are given."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from gatepost_server.domain.decision import ModerationRequest, Verdict
from gatepost_server.domain.labels import Decision
from gatepost_server.domain.review import QueueKind
from gatepost_server.moderate.once import digested
from gatepost_server.records.entry import entry_of
from gatepost_server.records.handover import Handover
from gatepost_server.records.record import Kept, QueueLoad, Record


class KeepImages(StrEnum):
    """Whose images are kept beside their verdicts."""

    NONE = "none"
    REFUSED = "refused"  # REVIEW and BLOCK
    ALL = "all"


_REFUSED = frozenset({Decision.REVIEW, Decision.BLOCK})


class Recorder:
    """The way into the record, and out of it. Methods raise GatepostError as Handover and Record."""

    def __init__(self, handover: Handover, record: Record, *, keep: KeepImages, due_s: float) -> None:
        """`due_s`: how soon a person looks at a REVIEW."""
        self._handover = handover
        self._record = record
        self._keep = keep
        self._due_s = due_s

    @property
    def handing_over(self) -> int:
        """How many verdicts are on their way into the record."""
        return self._handover.depth

    async def queue_load(self) -> Mapping[QueueKind, QueueLoad]:
        """How much waits for people."""
        return await self._record.queue_load()

    def check(self) -> None:
        """Raises GatepostError (RESOURCE_EXHAUSTED, RECORD_FULL) where no verdict could be written down."""
        self._handover.check()

    async def write(self, request: ModerationRequest, verdict: Verdict, *, held: Verdict | None = None) -> None:
        """On the disk once this returns; `held` is the HOLD that it was before."""
        asked = request if request.image_sha256 else digested(request)
        entries = [
            entry_of(asked, each, keep_image=each is verdict and self._keeps(verdict), due_s=self._due_s)
            for each in (held, verdict)
            if each is not None
        ]
        await self._handover.put(entries)

    async def find(self, name: str) -> Verdict | None:
        """A verdict as it was given, but for its ticket; not one whose work goes on."""
        kept: Kept | None = await self._record.find(name)
        return kept.verdict if kept is not None and not kept.verdict.pending else None

    def _keeps(self, verdict: Verdict) -> bool:
        if self._keep is KeepImages.REFUSED:
            return verdict.judgement.decision in _REFUSED
        return self._keep is KeepImages.ALL
