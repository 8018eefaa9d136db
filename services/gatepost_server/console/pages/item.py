"""One verdict: the picture, what the models saw, what the policy made of it, what people did."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gatepost_server.console.actors import person_of
from gatepost_server.console.guard import Page, account_of, is_partial
from gatepost_server.console.parts import Parts, parts_of
from gatepost_server.console.pictures import TYPES
from gatepost_server.console.render import render
from gatepost_server.console.views.boxes import overlay_of
from gatepost_server.console.views.grounds import grounds
from gatepost_server.console.views.scale import scale_of
from gatepost_server.console.views.timeline import timeline
from gatepost_server.domain.errors import GatepostError
from gatepost_server.domain.labels import CATEGORIES, Category
from gatepost_server.policy.load import Policy
from gatepost_server.records.accounts import Account, AccountRole
from gatepost_server.records.record import Kept, QueueItem
from gatepost_server.records.similar import Similar

ITEM = "/items/{id:uuid}"

_SIMILAR = 6

_log = structlog.get_logger("gatepost.console")


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier verdict on a picture that is alike, and what people made of it."""

    found: Similar
    kept: Kept | None  # None where it was removed meanwhile


def name_of(request: Request) -> str:
    """The verdict of the address."""
    return f"verdicts/{request.path_params['id']}"


async def page(request: Request) -> Response:
    """Everything there is about it."""
    parts, name = parts_of(request), name_of(request)
    kept, item, alike = await asyncio.gather(
        parts.review.find(name), parts.record.waiting(name), parts.record.similar(name, most=_SIMILAR)
    )
    past = [Past(each, await parts.record.find(each.verdict)) for each in alike]
    policy = policy_of(parts, kept)
    scale = scale_of(kept.verdict, policy)
    evidence = kept.verdict.evidence
    return render(
        request,
        "item.html",
        **work(parts, kept, item, account_of(request)),
        scale=scale,
        overlay=None if evidence is None else overlay_of(evidence, scale),
        past=past,
        shows=kept.image_kept and evidence is not None and evidence.image.format in TYPES,
    )


async def partial(request: Request, name: str) -> Response:
    """After something was done: the part of the page that changes, or the page anew."""
    if not is_partial(request):
        return RedirectResponse(f"/items/{name.removeprefix('verdicts/')}", 303)
    parts = parts_of(request)
    kept, item = await asyncio.gather(parts.review.find(name), parts.record.waiting(name))
    return render(request, "item_partial.html", **work(parts, kept, item, account_of(request)))


async def picture(request: Request) -> Response:
    """The image as it was sent: for the signed-in alone, and kept nowhere."""
    parts, name = parts_of(request), name_of(request)
    kept = await parts.review.find(name)
    evidence = kept.verdict.evidence
    media_type = TYPES.get(evidence.image.format) if evidence is not None else None
    image = await parts.review.image(kept) if media_type is not None else None
    if image is None:
        raise HTTPException(404)
    _log.info("picture_shown", verdict=name, actor=person_of(account_of(request)).actor)
    # Nothing in it runs, even where somebody opens it by itself.
    headers = {"content-security-policy": "default-src 'none'; sandbox", "content-disposition": "inline"}
    return Response(image, media_type=media_type, headers=headers)


def policy_of(parts: Parts, kept: Kept) -> Policy | None:
    """The policy that judged it, as it is now; None where there is none of that name any more."""
    try:
        return parts.policies.get(kept.verdict.judgement.policy)
    except GatepostError:
        return None


def work(parts: Parts, kept: Kept, item: QueueItem | None, account: Account) -> Mapping[str, Any]:
    """What the part of the page that changes shows."""
    person = person_of(account)
    category = kept.standing.category or kept.verdict.judgement.category
    return {
        "kept": kept,
        "verdict": kept.verdict,
        "evidence": kept.verdict.evidence,
        "standing": kept.standing,
        "item": item,
        "id": kept.verdict.name.removeprefix("verdicts/"),
        "me": person.actor,
        "senior": person.senior,
        "may_act": account.role.covers(AccountRole.REVIEWER),
        "events": timeline(kept, person),
        "category": category,
        "grounds": grounds(kept.verdict, policy_of(parts, kept)),
        "categories": CATEGORIES,
        "bank_categories": tuple(each for each in CATEGORIES if each is not Category.OFF_SCRIPT),
    }


PAGES = (
    Page(ITEM, page, role=AccountRole.VIEWER),
    Page(f"{ITEM}/picture", picture, role=AccountRole.VIEWER),
)
