"""The ASGI middleware in front of a real application in a real uvicorn."""

from __future__ import annotations

import gzip
import http.client
import io
import runpy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from gatepost_client.tickets.asgi import TicketMiddleware
from tests.minting import AUDIENCE, Mint
from tests.web_servers import running_asgi

pytestmark = pytest.mark.integration

MINT = Mint()
EXAMPLE = Path(__file__).parents[2] / "examples" / "asgi" / "app.py"


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


RED = png(Image.new("RGB", (64, 64), "red"))
NOISE = png(Image.effect_noise((64, 64), 90))
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


async def pieces(data: bytes, size: int):
    for at in range(0, len(data), size):
        yield data[at : at + size]


def application(folder: Path) -> Starlette:
    async def streamed(request: Request) -> Response:
        kind = request.query_params.get("type", "image/png")
        return StreamingResponse(pieces(NOISE, int(request.query_params.get("size", "100"))), media_type=kind)

    async def partial(request: Request) -> Response:
        return Response(RED[8:50], 206, {"content-type": "application/octet-stream", "content-range": "bytes 8-49/99"})

    async def raw(request: Request) -> Response:
        return Response(RED, headers={"content-type": request.query_params["type"]})

    async def zipped(request: Request) -> Response:
        kind = request.query_params.get("type", "application/octet-stream")
        return Response(gzip.compress(RED), headers={"content-type": kind, "content-encoding": "gzip"})

    async def page(request: Request) -> Response:
        return PlainTextResponse("BM25 ranks pages\n" * 1_000)

    async def events(request: Request) -> Response:
        return StreamingResponse(pieces(b"data: 1\n\ndata: 2\n\n", 9), media_type="text/event-stream")

    async def mixed(request: Request) -> Response:
        body = b"--x\r\ncontent-type: image/png\r\n\r\n" + RED + b"\r\n--x--"
        return Response(body, headers={"content-type": "multipart/x-mixed-replace; boundary=x"})

    async def vector(request: Request) -> Response:
        return Response(SVG, headers={"content-type": " Image/SVG+XML"})

    async def cached(request: Request) -> Response:
        return Response(
            RED, headers={"content-type": "image/png", "cache-control": "public, max-age=9999", "expires": "never"}
        )

    async def broken(request: Request) -> Response:
        async def half():
            yield RED[:100]
            raise RuntimeError("half-way")

        return StreamingResponse(half(), media_type="image/png")

    return Starlette(
        routes=[
            Mount("/static", StaticFiles(directory=folder)),
            Mount("/logo", StaticFiles(directory=folder)),
            Route("/file", lambda request: FileResponse(folder / "red.png")),
            *(
                Route(f"/{each.__name__}", each)
                for each in (streamed, partial, raw, zipped, page, events, mixed, vector, cached, broken)
            ),
        ]
    )


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def refused(self) -> bool:
        """In full: nothing of a picture came along."""
        return self.status == 403 and RED[8:40] not in self.body and NOISE[8:40] not in self.body


@dataclass(frozen=True)
class Site:
    address: str

    def get(self, path: str, ticket: str = "", *, method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection(self.address, timeout=10)
        try:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, headers=given | ({"Gatepost-Ticket": ticket} if ticket else {}))
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "red.png").write_bytes(RED)
    (folder / "picture.txt").write_bytes(RED)
    (folder / "page.html").write_text("<!doctype html>" + "<p>kind words" * 100)
    return folder


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[Site]:
    guarded = TicketMiddleware(
        application(folder), keys=MINT.keys(), audience=AUDIENCE, except_for=["/logo/"], max_bytes=1 << 20
    )
    with running_asgi(guarded) as address:
        yield Site(address)


@pytest.fixture(scope="module")
def ticket() -> str:
    return MINT.ticket(RED)


@pytest.mark.parametrize("path", ["/static/red.png", "/file", "/static/picture.txt", "/raw?type=text/html", "/cached"])
def test_a_picture_needs_its_ticket_whatever_it_is_called(site, path, ticket):
    assert site.get(path).refused
    assert site.get(path, MINT.ticket(NOISE)).refused
    assert site.get(path, MINT.ticket(RED, aud="strict")).refused
    released = site.get(path, ticket)
    assert (released.status, released.body) == (200, RED)


def test_the_ticket_may_stand_in_the_header_the_address_or_a_cookie(site, ticket):
    assert site.get("/file", ticket).status == 200
    assert site.get(f"/file?ticket={ticket}").status == 200
    assert site.get("/file", Cookie=f"a=b; gatepost_ticket={ticket}").status == 200
    assert site.get("/file", Cookie='gatepost_ticket="').refused
    assert site.get("/file?ticket=&ticket").refused


def test_a_part_of_a_picture_is_given_as_a_whole_or_not_at_all(site, ticket):
    assert site.get("/static/red.png", Range="bytes=1-").refused
    whole = site.get("/static/red.png", ticket, Range="bytes=1-5,7-9")
    assert (whole.status, whole.body) == (200, RED)
    assert site.get("/partial").refused
    assert site.get("/partial", ticket).refused


@pytest.mark.parametrize("size", [1, 7, 100, 100_000])
@pytest.mark.parametrize("kind", ["image/png", "text/plain"])
def test_a_stream_is_held_back_until_it_is_whole(site, size, kind):
    path = f"/streamed?size={size}&type={kind}"
    assert site.get(path).refused
    assert site.get(path, MINT.ticket(NOISE)).body == NOISE


def test_compressed_pictures_are_refused_and_none_is_asked_for(site, folder, ticket):
    for kind in ("image/png", "application/octet-stream", "text/html"):
        assert site.get(f"/zipped?type={kind}").refused
        assert site.get(f"/zipped?type={kind}", ticket).refused
    inside = GZipMiddleware(application(folder), minimum_size=1)
    with running_asgi(TicketMiddleware(inside, keys=MINT.keys(), audience=AUDIENCE)) as address:
        plain = Site(address).get("/cached", ticket, Accept_Encoding="gzip")
    assert plain.body == RED
    assert "content-encoding" not in plain.headers


def test_compression_outside_is_allowed(folder, ticket):
    outside = GZipMiddleware(TicketMiddleware(application(folder), keys=MINT.keys(), audience=AUDIENCE), minimum_size=1)
    with running_asgi(outside) as address:
        answer = Site(address).get("/page", Accept_Encoding="gzip")
        assert gzip.decompress(answer.body).startswith(b"BM25")
        assert Site(address).get("/raw?type=text/html", Accept_Encoding="gzip").status == 403


def test_a_head_request_shows_nothing_and_needs_no_ticket(site):
    answer = site.get("/static/red.png", method="HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == str(len(RED))


def test_an_old_copy_is_not_confirmed_without_a_ticket(site, ticket):
    first = site.get("/static/red.png", ticket)
    validators = {"If_None_Match": first.headers["etag"], "If_Modified_Since": first.headers["last-modified"]}
    assert site.get("/static/red.png", **validators).refused
    assert site.get("/static/red.png", ticket, **validators).status == 200


def test_no_cache_keeps_what_was_checked_once(site, folder, ticket):
    released = site.get("/cached", ticket)
    assert released.headers["cache-control"] == "no-store"
    assert "expires" not in released.headers
    assert site.get("/cached").headers["cache-control"] == "no-store"
    for cache_s, said in ((30, 30), (10**6, 3_599)):
        guarded = TicketMiddleware(application(folder), keys=MINT.keys(), audience=AUDIENCE, cache_s=cache_s)
        with running_asgi(guarded) as address:
            kind, _, seconds = Site(address).get("/cached", MINT.ticket(RED)).headers["cache-control"].partition("=")
        assert kind == "private, max-age"
        assert said - 30 <= int(seconds) <= said


def test_everything_else_passes_untouched(site, folder):
    assert site.get("/static/page.html").body == (folder / "page.html").read_bytes()
    assert site.get("/page").body.startswith(b"BM25")
    assert site.get("/events").body == b"data: 1\n\ndata: 2\n\n"
    assert site.get("/nothing").status == 404


def test_drawings_and_bodies_of_several_pictures_are_held_back(site):
    assert site.get("/vector").status == 403
    assert site.get("/mixed").refused


def test_what_stops_half_way_shows_nothing(site, ticket):
    assert site.get("/broken", ticket).status >= 400


def test_what_is_excepted_is_what_was_said(site):
    async def anywhere(scope, receive, send):
        await Response(RED, media_type="image/png")(scope, receive, send)

    assert site.get("/logo/red.png").body == RED
    assert site.get("/logox/red.png").status == 404
    guarded = TicketMiddleware(anywhere, keys=MINT.keys(), audience=AUDIENCE, except_for=["/logo/"])
    with running_asgi(guarded) as address:
        assert Site(address).get("/logo/red.png").body == RED
        for path in (
            "/logox",
            "/x/logo/",
            "/logo",
            "/logo/../x",
            "/logo/%2e%2e/x",
            "/logo/..%5cx",
            "/logo/..%2fx",
            "//logo/x",
        ):
            assert Site(address).get(path).refused, path


def test_a_picture_too_large_to_be_checked_is_refused(folder):
    guarded = TicketMiddleware(application(folder), keys=MINT.keys(), audience=AUDIENCE, max_bytes=len(RED) - 1)
    with running_asgi(guarded) as address:
        assert Site(address).get("/file", MINT.ticket(RED)).refused


@pytest.mark.parametrize("prefixes", ["/static/", [""], ["/"], ["/static"], ["static/"], ["//"]])
def test_prefixes_that_except_more_than_they_say_are_refused(prefixes):
    with pytest.raises(ValueError, match="between slashes"):
        TicketMiddleware(None, keys=MINT.keys(), audience=AUDIENCE, except_for=prefixes)


def test_a_refusal_says_why_and_nothing_else(site):
    answer = site.get("/file", MINT.ticket(NOISE))
    assert answer.headers["content-type"] == "application/problem+json"
    assert b'"reason": "IMAGE"' in answer.body


def test_the_example_lets_out_its_logo_and_no_picture_without_a_ticket(folder, tmp_path, monkeypatch, ticket):
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "logo.png").write_bytes(NOISE)

    async def keys(_: Request) -> Response:
        return Response(MINT.jwks(), media_type="application/json")

    with running_asgi(Starlette(routes=[Route("/jwks", keys)])) as server:
        monkeypatch.setenv("GATEPOST_JWKS", f"http://{server}/jwks")
        monkeypatch.setenv("PICTURES", str(folder))
        monkeypatch.setenv("STATIC", str(tmp_path / "static"))
        example = runpy.run_path(str(EXAMPLE))
        with running_asgi(example["app"]) as address:
            site = Site(address)
            assert site.get("/static/logo.png").body == NOISE
            assert site.get("/pictures/red.png").refused
            assert site.get(f"/pictures/red.png?ticket={ticket}").body == RED


@pytest.mark.parametrize(
    "kind", ["http.response.pathsend", "http.response.zerocopysend", "http.response.push", "other"]
)
async def test_a_body_that_goes_around_the_middleware_is_neither_offered_nor_let_through(kind):
    offered, sent = [], []

    async def sly(scope, receive, send):
        offered.extend(scope["extensions"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": kind, "path": "/pictures/red.png"})

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": "/", "headers": [], "extensions": {kind: {}, "tls": {}}}
    await TicketMiddleware(sly, keys=MINT.keys(), audience=AUDIENCE)(scope, None, send)
    assert offered == ["tls"]
    assert [message.get("status") for message in sent] == [403, None]


async def test_headers_may_be_left_out():
    sent = []

    async def bare(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": RED})

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": "/", "headers": [(b"gatepost-ticket", MINT.ticket(RED).encode())]}
    await TicketMiddleware(bare, keys=MINT.keys(), audience=AUDIENCE)(scope, None, send)
    assert sent[0]["headers"] == [(b"cache-control", b"no-store")]
    assert sent[1]["body"] == RED
