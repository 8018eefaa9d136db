"""This gateway's canaries: through its admission, its models, the shipped policy and its keys, like any image.

They leave nothing behind: no record, no quota, no answer that a later request could get.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

import structlog

from gatepost_server.domain.decision import ModerationRequest
from gatepost_server.domain.labels import Decision
from gatepost_server.gateway.admission import Admission
from gatepost_server.gateway.metrics import Metrics
from gatepost_server.gateway.settings import GatewaySettings
from gatepost_server.moderate.canary import Canaries, Canary, CanaryLimits
from gatepost_server.moderate.limits import RequestLimits
from gatepost_server.moderate.moderator import Moderator
from gatepost_server.policy.book import PolicyBook, shipped_policies
from gatepost_server.records.store import MemoryVerdictStore
from gatepost_server.scoring.base import Priority, Scorer
from gatepost_server.tickets.sign import TicketSigner

_log = structlog.get_logger("gatepost.canary")


def open_canaries(
    settings: GatewaySettings,
    scorer: Scorer,
    signer: TicketSigner | None,
    admission: Admission,
    metrics: Metrics,
    *,
    lost: Callable[[], None],
) -> Canaries | None:
    """None where the operator wants none. `scorer` must answer without anybody's trust, and from no memory.

    `lost` is called each time that the trust is lost.

    A canary waits until there is room for an image, and then takes no place of those that others could have.
    """
    if not settings.canary_interval_s:
        _log.warning("no_canaries", why="canary_interval_s is 0: nothing tells when models answer wrongly")
        return None
    from gatepost_server.gateway.canary_cards import CardsOfTheDay  # Pillow stays out of gateways that never draw

    # The shipped policy: whatever an operator's own policies allow, the models must know these cards apart.
    moderator = Moderator(
        scorer,
        PolicyBook(shipped_policies()),
        MemoryVerdictStore(capacity_bytes=1, ttl_s=1.0),
        RequestLimits(),
        signer=signer,
    )

    async def ask(card: Canary) -> Decision:
        name = uuid.uuid4().hex
        request = ModerationRequest(f"canary-{name}", card.image)
        with await admission.wait(len(card.image), Priority.INTERACTIVE):
            pass
        verdict = await moderator.judge(
            f"canaries/{name}", request, timeout_s=settings.canary_answer_s, priority=Priority.INTERACTIVE
        )
        return verdict.judgement.decision

    limits = CanaryLimits(interval_s=settings.canary_interval_s, answer_s=settings.canary_answer_s)
    return Canaries(CardsOfTheDay(), ask, limits, told=metrics.canary, lost=lost)
