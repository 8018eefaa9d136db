"""From a template to an answer, in the language and colours of whoever asks."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from gatepost_server.console.actors import shown
from gatepost_server.console.guard import visitor_of
from gatepost_server.console.navigation import PLACES
from gatepost_server.console.parts import parts_of
from gatepost_server.console.sessions import Visitor
from gatepost_server.console.words import LANGUAGES, Words, language_for, words_in
from gatepost_server.records.accounts import Preferences


@cache
def _environment() -> Environment:
    """Escapes whatever is put into a page; a name that is not there is an error, not a blank."""
    environment = Environment(
        loader=PackageLoader("gatepost_server.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["moment"] = moment
    environment.filters["person"] = shown
    return environment


def moment(seconds: float) -> str:
    """Unix seconds as 2026-01-31 08:15:00Z."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}Z"


def words_for(request: Request) -> Words:
    """The language that they chose, or that their browser asks for."""
    account = _visitor(request).account
    chosen = request.query_params.get("language", "") if account is None else account.preferences.language
    return words_in(language_for(chosen, request.headers.get("accept-language", "")))


def render(
    request: Request, template: str, *, status: int = 200, visitor: Visitor | None = None, **context: Any
) -> HTMLResponse:
    """The page. Beside `context` templates know `t`, `visitor`, `preferences`, `places`, `here` and `now`."""
    visitor = visitor if visitor is not None else _visitor(request)
    account = visitor.account
    page = _environment().get_template(template)
    text = page.render(
        t=words_for(request),
        visitor=visitor,
        account=account,
        preferences=account.preferences if account is not None else Preferences(),
        places=[place for place in PLACES if account is not None and account.role.covers(place.role)],
        here=request.url.path,
        languages=LANGUAGES,
        now=parts_of(request).clock(),
        **context,
    )
    return HTMLResponse(text, status)


def _visitor(request: Request) -> Visitor:
    """Nobody, for what went wrong before it was known who asks."""
    return visitor_of(request) if hasattr(request.state, "visitor") else Visitor(None, "")
