"""The console as an ASGI application."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from importlib.resources import files

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from gatepost_server.console.guard import Page, is_partial
from gatepost_server.console.headers import SecurityHeaders, always
from gatepost_server.console.pages import acts, insights, item, pace, policy_trial, queue, sign_in, single_sign_on, you
from gatepost_server.console.parts import Parts, parts_of
from gatepost_server.console.render import render, words_for
from gatepost_server.domain.errors import ErrorCode, GatepostError
from gatepost_server.records.accounts import AccountRole


async def home(_: Request) -> Response:
    """Work is in the queue."""
    return RedirectResponse("/queue", 303)


PAGES: tuple[Page, ...] = (
    Page("/", home, role=AccountRole.VIEWER),
    *queue.PAGES,
    *insights.PAGES,
    *policy_trial.PAGES,
    *item.PAGES,
    *acts.PAGES,
    *sign_in.PAGES,
    *single_sign_on.PAGES,
    *you.PAGES,
    *pace.PAGES,
)

_STATUS: Mapping[ErrorCode, int] = {
    ErrorCode.INVALID_ARGUMENT: 400,
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.PERMISSION_DENIED: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.FAILED_PRECONDITION: 409,
    ErrorCode.RESOURCE_EXHAUSTED: 429,
    ErrorCode.DEADLINE_EXCEEDED: 503,
    ErrorCode.UNAVAILABLE: 503,
    ErrorCode.INTERNAL: 500,
}

_log = structlog.get_logger("gatepost.console")


def application(parts: Parts) -> Starlette:
    """Every page of PAGES, and the files that they are dressed in."""
    static = str(files("gatepost_server.console") / "static")
    app = Starlette(
        routes=[*PAGES, Mount("/static", StaticFiles(directory=static), name="static")],
        middleware=[
            Middleware(SecurityHeaders, secure=parts.settings.secure),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(parts.settings.hosts), www_redirect=False),
            # What is asked of the issuer, for as long as somebody is away there.
            Middleware(
                SessionMiddleware,
                secret_key=secrets.token_hex() if parts.issuer is None else parts.issuer.state_key,
                session_cookie="gatepost-oidc",
                path=single_sign_on.FOLDER,
                max_age=600,
                https_only=parts.settings.secure,
            ),
        ],
        exception_handlers={HTTPException: _refused, GatepostError: _failed, Exception: _broken},
    )
    app.state.parts = parts
    return app


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _told(request, error.status_code, "")


async def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, GatepostError)
    return _told(request, _STATUS[error.code], error.reason.value)


async def _broken(request: Request, error: Exception) -> Response:
    _log.error("page_failed", path=request.url.path, error=type(error).__name__)
    answer = _told(request, 500, "")
    answer.headers.update(always(secure=parts_of(request).settings.secure))  # sent past the middleware
    return answer


def _told(request: Request, status: int, reason: str) -> Response:
    """What went wrong, in their language; a piece of a page gets a piece."""
    words = words_for(request)
    keys = (f"errors.{reason}", f"errors.{status}", "errors.500" if status >= 500 else "errors.400")
    key = next(key for key in keys if words.has(key))
    if not is_partial(request):
        return render(request, "error.html", status=status, problem=words(key))
    answer = render(request, "error_notice.html", status=status, problem=words(key))
    answer.headers["hx-retarget"], answer.headers["hx-reswap"] = "#notices", "innerHTML"
    return answer
