"""To the issuer and back."""

from __future__ import annotations

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gatepost_server.console.guard import SIGN_IN, Page, local
from gatepost_server.console.oidc import Issuer, SignInError
from gatepost_server.console.parts import parts_of

FOLDER = "/oidc"  # the cookie that holds what was asked is sent nowhere else

_log = structlog.get_logger("gatepost.console")


async def start(request: Request) -> Response:
    """Whoever wants to sign in goes to the issuer."""
    issuer, settings = _issuer(request), parts_of(request).settings
    request.session["next"] = local(request.query_params.get("next", "/"))
    base = settings.public_url.rstrip("/") if settings.public_url is not None else str(request.base_url).rstrip("/")
    try:
        return await issuer.ask(request, f"{base}{FOLDER}/back")
    except SignInError as error:
        return _failed(error)


async def back(request: Request) -> Response:
    """The issuer sent somebody back."""
    issuer, parts = _issuer(request), parts_of(request)
    onward = local(str(request.session.pop("next", "/")))
    try:
        account = await issuer.answered(request, parts.accounts)
    except SignInError as error:
        return _failed(error)
    _log.info("signed_in", name=account.name, by="oidc")
    answer = RedirectResponse(onward, 303)
    await parts.sessions.sign_in(answer, account)
    return answer


def _issuer(request: Request) -> Issuer:
    issuer = parts_of(request).issuer
    if issuer is None:
        raise HTTPException(404)
    return issuer


def _failed(error: SignInError) -> Response:
    _log.warning("sign_in_refused", by="oidc", why=str(error))
    return RedirectResponse(f"{SIGN_IN}?failed=1", 303)


PAGES = (
    Page(f"{FOLDER}/start", start, role=None),
    Page(f"{FOLDER}/back", back, role=None),
)
