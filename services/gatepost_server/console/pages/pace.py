"""How long somebody has been at it, and when a break is due."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gatepost_server.console.actors import actor_of
from gatepost_server.console.guard import Page, account_of, is_partial
from gatepost_server.console.insights.pace import PAUSE_S, SHIFT_S, pace
from gatepost_server.console.parts import parts_of
from gatepost_server.console.render import render
from gatepost_server.records.accounts import AccountRole

PACE = "/you/pace"


async def page(request: Request) -> Response:
    """A page; for htmx a few words in the corner of every page. Nobody sees another's."""
    parts, account = parts_of(request), account_of(request)
    now = parts.clock()
    acts = await parts.insights.acts_of(actor_of(account), now - SHIFT_S)
    found = pace(acts, now, break_minutes=account.preferences.break_minutes)
    template = "insights/pace_note.html" if is_partial(request) else "insights/pace.html"
    return render(request, template, pace=found, shift_s=SHIFT_S, pause_s=PAUSE_S)


PAGES = (Page(PACE, page, role=AccountRole.REVIEWER),)
