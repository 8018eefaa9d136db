"""What waits for people: the soonest due first, or the gravest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.datastructures import FormData, QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gatepost_server.console.actors import person_of
from gatepost_server.console.guard import Page, account_of, is_partial
from gatepost_server.console.parts import parts_of
from gatepost_server.console.render import render
from gatepost_server.domain.errors import ErrorReason, GatepostError
from gatepost_server.domain.labels import CATEGORIES, Category
from gatepost_server.domain.review import QueueKind
from gatepost_server.records.accounts import AccountRole
from gatepost_server.records.record import QueueFilter

QUEUE = "/queue"

_PAGE = 40
_LOOKED_AT = 200  # items, for one that is nobody's
# Another was quicker, or it takes somebody with more say.
_PASSED_BY = frozenset({ErrorReason.CLAIMED_BY_OTHER, ErrorReason.NOTHING_TO_DECIDE, ErrorReason.ESCALATED})


@dataclass(frozen=True, slots=True)
class Chosen:
    """What somebody wants to see; unknown values are as if nothing was said."""

    tenant: str
    category: str
    kind: str
    order: str  # "due" or "severity"

    @classmethod
    def of(cls, said: QueryParams | FormData) -> Chosen:
        """From an address or a form."""
        category, kind, order = (str(said.get(name, "")) for name in ("category", "kind", "order"))
        return cls(
            tenant=str(said.get("tenant", "")).strip()[:64],
            category=category if category in CATEGORIES else "",
            kind=kind if kind in tuple(QueueKind) else "",
            order=order if order == "severity" else "due",
        )

    @property
    def filter(self) -> QueueFilter:
        """As the record takes it."""
        return QueueFilter(
            tenant=self.tenant or None,
            category=Category(self.category) if self.category else None,
            kind=QueueKind(self.kind) if self.kind else None,
            gravest_first=self.order == "severity",
        )

    @property
    def fields(self) -> Mapping[str, str]:
        """What differs from nothing being said."""
        said = {"tenant": self.tenant, "category": self.category, "kind": self.kind}
        return {name: value for name, value in said.items() if value} | (
            {"order": self.order} if self.order != "due" else {}
        )

    def address(self, **more: str) -> str:
        """The queue as it was chosen."""
        fields = {**self.fields, **{name: value for name, value in more.items() if value}}
        return f"{QUEUE}?{urlencode(fields)}" if fields else QUEUE


async def page(request: Request) -> Response:
    """The whole page; htmx gets the rows alone."""
    parts, chosen = parts_of(request), Chosen.of(request.query_params)
    after = request.query_params.get("after", "")
    try:
        items, onward = await parts.review.queue(chosen.filter, most=_PAGE, after=after)
    except ValueError:  # no place in the queue
        return RedirectResponse(chosen.address(), 303)
    return render(
        request,
        "queue_rows.html" if is_partial(request) else "queue.html",
        items=items,
        chosen=chosen,
        onward=chosen.address(after=onward) if onward else "",
        back=chosen.address() if after else "",
        again=chosen.address(after=after),
        nothing_free=request.query_params.get("none") == "1",
        me=person_of(account_of(request)).actor,
        categories=CATEGORIES,
        kinds=tuple(QueueKind),
    )


async def next_one(request: Request) -> Response:
    """Claim the first that is nobody's, and open it."""
    parts, chosen = parts_of(request), Chosen.of(await request.form())
    person, after = person_of(account_of(request)), ""
    for _ in range(_LOOKED_AT // _PAGE):
        items, after = await parts.review.queue(chosen.filter, most=_PAGE, after=after)
        for item in items:
            if item.claimed_by not in ("", person.actor):
                continue
            try:
                await parts.review.claim(item.verdict, person)
            except GatepostError as error:
                if error.reason not in _PASSED_BY:
                    raise
                continue
            return RedirectResponse(item_address(item.verdict), 303)
        if not after:
            break
    return RedirectResponse(chosen.address(none="1"), 303)


def item_address(verdict: str) -> str:
    """The page of a verdict."""
    return f"/items/{verdict.removeprefix('verdicts/')}"


PAGES = (
    Page(QUEUE, page, role=AccountRole.VIEWER),
    Page(f"{QUEUE}/next", next_one, role=AccountRole.REVIEWER, methods=("POST",)),
)
