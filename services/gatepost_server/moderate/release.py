"""From an ALLOW to its release ticket."""

from __future__ import annotations

from gatepost_server.domain.decision import Judgement, ModerationRequest
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.evidence import Evidence
from gatepost_server.domain.labels import Decision
from gatepost_server.domain.ticket import Release, TicketTerms
from gatepost_server.tickets.sign import TicketSigner


def release(
    name: str,
    request: ModerationRequest,
    evidence: Evidence,
    judgement: Judgement,
    terms: TicketTerms,
    signer: TicketSigner | None,
) -> str:
    """The ticket of an ALLOW; `request` is digested. "" for every other decision, and where there is no signer.

    Raises GatepostError: INTERNAL where the evidence is of other bytes than the request's, with or without a signer;
    UNAVAILABLE where no ticket can be signed. Then there is no ALLOW.
    """
    if judgement.decision is not Decision.ALLOW:
        return ""
    # The one of what was sent (once.digested), not of what the models say they saw: whoever mixes images up anywhere
    # releases none, and neither does a request that has no digest.
    if evidence.image.sha256 != request.image_sha256:
        raise GatepostError(
            ErrorCode.INTERNAL, ErrorReason.MODEL_OUTPUT_INVALID, "the models looked at another image than this"
        )
    if signer is None:
        return ""
    return signer.sign(
        Release(
            verdict=name,
            image_sha256=request.image_sha256,
            policy=judgement.policy,
            policy_version=judgement.policy_version,
            models={model.name: model.version for report in evidence.reports for model in report.models},
            terms=terms,
        )
    )
