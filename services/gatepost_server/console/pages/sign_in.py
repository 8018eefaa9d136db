"""Signing in with name and password, and out."""

from __future__ import annotations

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gatepost_server.console.guard import SIGN_IN, Page, local, visitor_of
from gatepost_server.console.parts import parts_of
from gatepost_server.console.render import render
from gatepost_server.records.accounts import AccountRole

_log = structlog.get_logger("gatepost.console")


async def form(request: Request) -> Response:
    """Name and password; whoever is signed in already goes on."""
    if visitor_of(request).account is not None:
        return RedirectResponse(local(request.query_params.get("next", "/")), 303)
    problem = "sign_in.elsewhere_failed" if "failed" in request.query_params else ""
    return await _form(request, problem, request.query_params.get("next", "/"))


async def sign_in(request: Request) -> Response:
    """One answer for whoever may not: nobody learns which names there are."""
    parts, said = parts_of(request), await request.form()
    name, password = str(said.get("name", "")).strip().lower()[:128], str(said.get("password", ""))
    onward, address = str(said.get("next", "/")), request.client.host if request.client is not None else ""
    if not parts.attempts.may_try(name, address):
        _log.warning("sign_in_refused", address=address, why="too often")
        return await _form(request, "sign_in.too_often", onward, status=429)
    parts.attempts.begun(name, address)
    account = await parts.accounts.find(name)
    usable = account is not None and not account.disabled
    kept = account.password if account is not None and usable else ""
    if not await parts.passwords.right(kept, password) or account is None:
        # Of names that are nobody's nothing is told: people type passwords into the wrong field.
        known = name if account is not None else ""
        _log.warning("sign_in_refused", name=known, address=address, why="wrong")
        return await _form(request, "sign_in.wrong", onward, status=403)
    parts.attempts.succeeded(name, address)
    _log.info("signed_in", name=name, address=address)
    answer = RedirectResponse(local(onward), 303)
    await parts.sessions.sign_in(answer, account)
    return answer


async def sign_out(request: Request) -> Response:
    """The session is over, wherever its cookie is."""
    answer = RedirectResponse(SIGN_IN, 303)
    await parts_of(request).sessions.sign_out(answer, visitor_of(request))
    return answer


async def _form(request: Request, problem: str, onward: str, *, status: int = 200) -> Response:
    parts, visitor = parts_of(request), visitor_of(request)
    if not visitor.token:
        visitor = parts.sessions.stranger()
    answer = render(
        request,
        "sign_in.html",
        status=status,
        visitor=visitor,
        problem=problem,
        onward=local(onward),
        nobody=parts.issuer is None and not await parts.accounts.everybody(),
        elsewhere=parts.issuer is not None,
    )
    if visitor.account is None:
        parts.sessions.remember(answer, visitor.token)
    return answer


PAGES = (
    Page(SIGN_IN, form, role=None),
    Page(SIGN_IN, sign_in, role=None, methods=("POST",)),
    Page("/sign-out", sign_out, role=AccountRole.VIEWER, methods=("POST",)),
)
