"""How somebody wants to see the console, and their password."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gatepost_server.console.guard import Page, account_of
from gatepost_server.console.parts import parts_of
from gatepost_server.console.passwords import LEAST, PasswordError, hashed
from gatepost_server.console.render import render
from gatepost_server.console.words import LANGUAGES
from gatepost_server.records.accounts import LONGEST_STRETCH, AccountRole, Preferences, Theme

YOU = "/you"

_SWITCHES = ("blur", "greyscale", "shortcuts")


async def page(request: Request) -> Response:
    """Everything that can be chosen."""
    return _page(request)


async def choose(request: Request) -> Response:
    """What was chosen holds from the next page on."""
    account, said = account_of(request), await request.form()
    language, theme = str(said.get("language", "")), str(said.get("theme", ""))
    chosen = Preferences(
        language=language if language in LANGUAGES else "",
        theme=Theme(theme) if theme in tuple(Theme) else Theme.AUTO,
        **{name: said.get(name) == "on" for name in _SWITCHES},
        break_minutes=_minutes(str(said.get("break_minutes", ""))[:6], account.preferences.break_minutes),
    )
    await parts_of(request).accounts.prefer(account.name, chosen)
    return RedirectResponse(f"{YOU}?saved=1", 303)


async def change_password(request: Request) -> Response:
    """Asks for the old one; all sessions end but the one that is begun anew."""
    account, parts, said = account_of(request), parts_of(request), await request.form()
    address = request.client.host if request.client is not None else ""
    if not parts.attempts.may_try(account.name, address):
        return _page(request, problem="sign_in.too_often", status=429)
    parts.attempts.begun(account.name, address)
    if not await parts.passwords.right(account.password, str(said.get("old", ""))):
        return _page(request, problem="you.old_wrong", status=403)
    parts.attempts.succeeded(account.name, address)
    try:
        kept = hashed(str(said.get("new", "")))
    except PasswordError:
        return _page(request, problem="you.too_short", status=400)
    await parts.accounts.lock(account.name, kept)
    answer = RedirectResponse(f"{YOU}?saved=1", 303)
    await parts.sessions.sign_in(answer, account)
    return answer


def _minutes(said: str, before: int) -> int:
    """What is no number leaves it as it was."""
    return min(int(said), LONGEST_STRETCH) if said.isascii() and said.isdecimal() else before


def _page(request: Request, *, problem: str = "", status: int = 200) -> Response:
    saved = request.query_params.get("saved") == "1" and not problem
    themes, switches = tuple(Theme), _SWITCHES
    return render(
        request,
        "you.html",
        status=status,
        problem=problem,
        saved=saved,
        themes=themes,
        switches=switches,
        least=LEAST,
        longest_stretch=LONGEST_STRETCH,
    )


PAGES = (
    Page(YOU, page, role=AccountRole.VIEWER),
    Page(YOU, choose, role=AccountRole.VIEWER, methods=("POST",)),
    Page(f"{YOU}/password", change_password, role=AccountRole.VIEWER, methods=("POST",)),
)
