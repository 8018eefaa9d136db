"""Every way into the console: who may use it, and that forms come from its own pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gatepost_server.console.parts import parts_of
from gatepost_server.console.sessions import Visitor
from gatepost_server.records.accounts import Account, AccountRole

SIGN_IN = "/sign-in"

Endpoint = Callable[[Request], Awaitable[Response]]

_SAFE = frozenset({"GET", "HEAD"})
_FORM_BYTES = 1 << 20
_FIELDS = 200


class Page(Route):
    """A route that says whom it is for: `role`, or more. None: for everybody."""

    def __init__(
        self, path: str, endpoint: Endpoint, *, role: AccountRole | None, methods: Sequence[str] = ("GET",)
    ) -> None:
        self.role = role
        super().__init__(path, _guarded(endpoint, role), methods=methods, max_body_size=_FORM_BYTES)


def visitor_of(request: Request) -> Visitor:
    """Who sent it."""
    visitor: Visitor = request.state.visitor
    return visitor


def account_of(request: Request) -> Account:
    """Who sent it, where the page has a role."""
    account = visitor_of(request).account
    if account is None:
        raise HTTPException(401)
    return account


def is_partial(request: Request) -> bool:
    """Whether htmx asks for a piece of a page."""
    return request.headers.get("hx-request") == "true"


def local(path: str) -> str:
    """`path` where it leads to a page of the console, else the first one."""
    good = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if good else "/"


def _guarded(endpoint: Endpoint, role: AccountRole | None) -> Endpoint:
    async def guarded(request: Request) -> Response:
        said = [value for _, value in request.query_params.multi_items()]
        if request.method not in _SAFE:
            # Before it is asked who sent it: a form may take hours to arrive, and its sender be shown out meanwhile.
            form = await request.form(max_fields=_FIELDS, max_files=1)
            said += [value for _, value in form.multi_items() if isinstance(value, str)]
        if any("\x00" in value for value in said):
            raise HTTPException(400)  # PostgreSQL holds none
        request.state.visitor = visitor = await parts_of(request).sessions.visitor(request)
        if role is not None:
            if visitor.account is None:
                return _sent_to_sign_in(request)
            if not visitor.account.role.covers(role):
                raise HTTPException(403)
        if request.method not in _SAFE:
            await _check_origin(request, visitor)
        return await endpoint(request)

    guarded.__name__ = getattr(endpoint, "__name__", "page")
    return guarded


def _sent_to_sign_in(request: Request) -> Response:
    if request.method not in _SAFE or request.headers.get("sec-fetch-dest", "document") == "image":
        raise HTTPException(401)
    place = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if is_partial(request):  # the whole page goes there, not the piece of it
        return Response(status_code=401, headers={"hx-redirect": SIGN_IN})
    return RedirectResponse(f"{SIGN_IN}?{urlencode({'next': place})}", 303)


async def _check_origin(request: Request, visitor: Visitor) -> None:
    """Raises HTTPException (403) for what no page of the console sent."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise HTTPException(403)
    said = (await request.form()).get("csrf")
    if not isinstance(said, str) or not visitor.wrote(said):
        raise HTTPException(403)
