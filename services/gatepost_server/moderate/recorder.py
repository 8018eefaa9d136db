"""Verdicts are written down before they are given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gatepost_server.domain.decision import ModerationRequest, Verdict
from gatepost_server.domain.keeping import KeepImages
from gatepost_server.domain.review import QueueKind
from gatepost_server.moderate.once import digested
from gatepost_server.policy.document import ReviewRules
from gatepost_server.policy.load import Policy
from gatepost_server.records.entry import entry_of
from gatepost_server.records.handover import Handover
from gatepost_server.records.record import Kept, QueueLoad, Record

_NOTHING_SAID = ReviewRules()


class Recorder:
    """The way into the record, and out of it. Methods raise GatepostError as Handover and Record."""

    def __init__(
        self,
        handover: Handover,
        record: Record,
        *,
        keep: KeepImages,
        due_s: float,
        policies: Iterable[Policy] = (),
        seals: bool = True,
    ) -> None:
        """`keep` and `due_s` (how soon a person looks at a REVIEW) hold for what the verdict's policy does not say.

        Where nothing `seals` images no policy keeps any.
        """
        self._handover = handover
        self._record = record
        self._keep = keep
        self._due_s = due_s
        self._rules = {policy.name: policy.document.review for policy in policies}
        self._seals = seals

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
        judgement = verdict.judgement
        rules, decision = self._rules.get(judgement.policy, _NOTHING_SAID), judgement.decision
        categories = {reason.category for reason in judgement.reasons if reason.category is not None}
        asked = request if request.image_sha256 else digested(request)
        entries = [
            entry_of(
                asked,
                each,
                keep_image=each is verdict and self._seals and (rules.keep_images or self._keep).keeps(decision),
                opinions=rules.opinions_on(categories),
                due_s=self._due_s if rules.due_s is None else rules.due_s,
            )
            for each in (held, verdict)
            if each is not None
        ]
        await self._handover.put(entries)

    async def find(self, name: str) -> Verdict | None:
        """A verdict as it was given, but for its ticket; not one whose work goes on."""
        kept: Kept | None = await self._record.find(name)
        return kept.verdict if kept is not None and not kept.verdict.pending else None
