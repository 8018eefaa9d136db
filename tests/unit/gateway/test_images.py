"""Images by URI: nothing is read that the operator did not allow, and never more than the limit."""

from __future__ import annotations

import asyncio
import contextlib
import os

import pytest
from aiohttp import web

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.gateway.images import ImageFetcher

LIMIT = 1_000


@contextlib.asynccontextmanager
async def fetcher(*prefixes: str, timeout_s: float = 2.0):
    made = ImageFetcher(prefixes, max_bytes=LIMIT, timeout_s=timeout_s)
    try:
        yield made
    finally:
        await made.close()


async def refusal(uri: str, *prefixes: str) -> GatepostError:
    async with fetcher(*prefixes) as made:
        with pytest.raises(GatepostError) as caught:
            await made.fetch(uri)
    assert caught.value.field == "image_uri"
    return caught.value


@pytest.mark.parametrize(
    "uri", ["file:///etc/passwd", "http://example.com/a.png", "ftp://x/y", "a.png", "", "http://["]
)
async def test_by_default_nothing_is_fetched(uri):
    assert (await refusal(uri)).reason is ErrorReason.IMAGE_URI_NOT_ALLOWED


class TestFiles:
    @pytest.fixture
    def folder(self, tmp_path):
        folder = tmp_path / "images"
        folder.mkdir()
        (folder / "a b.png").write_bytes(b"png")
        (folder / "large.png").write_bytes(bytes(LIMIT + 1))
        (folder / "limit.png").write_bytes(bytes(LIMIT))
        (tmp_path / "secret.png").write_bytes(b"secret")
        (folder / "link.png").symlink_to(tmp_path / "secret.png")
        (tmp_path / "images-old").mkdir()
        (tmp_path / "images-old" / "b.png").write_bytes(b"old")
        os.mkfifo(folder / "pipe")
        return folder

    async def test_a_file_of_an_allowed_folder_is_read(self, folder):
        async with fetcher(f"file://{folder}/") as made:
            assert await made.fetch(f"file://{folder}/a%20b.png") == b"png"
            assert len(await made.fetch(f"file://{folder}/limit.png")) == LIMIT

    @pytest.mark.parametrize(
        "name", ["../secret.png", "%2e%2e/secret.png", "..%2fsecret.png", "link.png", "../images-old/b.png", "%00"]
    )
    async def test_no_way_leads_out_of_the_folder(self, folder, name):
        error = await refusal(f"file://{folder}/{name}", f"file://{folder}/")
        assert (error.code, error.reason) == (ErrorCode.INVALID_ARGUMENT, ErrorReason.IMAGE_URI_NOT_ALLOWED)

    async def test_a_host_in_a_file_uri_is_refused(self, folder):
        error = await refusal(f"file://elsewhere{folder}/a%20b.png", f"file://{folder}/")
        assert error.reason is ErrorReason.IMAGE_URI_NOT_ALLOWED

    @pytest.mark.parametrize("name", ["gone.png", "pipe", "."])
    async def test_what_is_no_file_is_unreachable_and_does_not_block(self, folder, name):
        error = await asyncio.wait_for(refusal(f"file://{folder}/{name}", f"file://{folder}/"), 2.0)
        assert (error.code, error.reason) == (ErrorCode.UNAVAILABLE, ErrorReason.IMAGE_URI_UNREACHABLE)

    async def test_a_file_over_the_limit_is_not_read_whole(self, folder):
        error = await refusal(f"file://{folder}/large.png", f"file://{folder}/")
        assert error.reason is ErrorReason.IMAGE_TOO_LARGE


class TestHttp:
    @pytest.fixture
    async def site(self):
        """A server of this machine: its address, as an operator would write it."""

        async def endless(request):
            response = web.StreamResponse()
            await response.prepare(request)
            with contextlib.suppress(ConnectionError):
                for _ in range(1_000):
                    await response.write(bytes(100))
            return response

        async def redirect(request):
            raise web.HTTPFound("/images/a.png")

        async def slow(request):
            await asyncio.sleep(30)

        async def answer(request):
            return web.Response(body=b"png")

        async def bomb(request):
            return web.Response(body=b"squeezed", headers={"Content-Encoding": "gzip"})

        async def large(request):
            return web.Response(body=bytes(LIMIT + 1))

        app = web.Application()
        app.router.add_get("/images/a.png", answer)
        app.router.add_get("/secret/a.png", answer)
        app.router.add_get("/images/endless", endless)
        app.router.add_get("/images/redirect", redirect)
        app.router.add_get("/images/slow", slow)
        app.router.add_get("/images/bomb", bomb)
        app.router.add_get("/images/large", large)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]
        yield f"127.0.0.1:{port}"
        await runner.cleanup()

    async def test_an_allowed_place_is_fetched_from_even_at_a_private_address_that_the_prefix_names(self, site):
        async with fetcher(f"http://{site}/images/") as made:
            assert await made.fetch(f"http://{site}/images/a.png?x=1#y") == b"png"

    async def test_localhost_in_the_prefix_means_localhost(self, site):
        port = site.split(":")[1]
        async with fetcher(f"http://localhost:{port}/images/") as made:
            assert await made.fetch(f"http://localhost:{port}/images/a.png") == b"png"

    @pytest.mark.parametrize(
        "path",
        [
            "/secret/a.png",
            "/images/../secret/a.png",
            "/images/%2e%2e/secret/a.png",
            "/images/..%2fsecret/a.png",
            "/images",
        ],
    )
    async def test_no_path_leads_out_of_the_prefix(self, site, path):
        error = await refusal(f"http://{site}{path}", f"http://{site}/images/")
        assert error.reason is ErrorReason.IMAGE_URI_NOT_ALLOWED

    @pytest.mark.parametrize(
        "uri",
        [
            "https://{site}/images/a.png",
            "http://user@{site}/images/a.png",
            "http://{site}@evil.example/images/a.png",
            "http://127.0.0.1:1/images/a.png",
            "http://evil.example/images/a.png",
        ],
    )
    async def test_another_scheme_host_port_or_user_is_refused(self, site, uri):
        error = await refusal(uri.format(site=site), f"http://{site}/images/")
        assert error.reason is ErrorReason.IMAGE_URI_NOT_ALLOWED

    @pytest.mark.parametrize("path", ["redirect", "gone", "slow"])
    async def test_redirects_misses_and_slow_servers_are_unreachable(self, site, path):
        async with fetcher(f"http://{site}/images/", timeout_s=0.3) as made:
            with pytest.raises(GatepostError) as caught:
                await made.fetch(f"http://{site}/images/{path}")
        assert caught.value.reason is ErrorReason.IMAGE_URI_UNREACHABLE

    @pytest.mark.parametrize("path", ["large", "endless"])
    async def test_reading_ends_at_the_limit(self, site, path):
        error = await refusal(f"http://{site}/images/{path}", f"http://{site}/images/")
        assert error.reason is ErrorReason.IMAGE_TOO_LARGE

    async def test_nothing_is_unpacked(self, site):
        async with fetcher(f"http://{site}/images/") as made:
            assert await made.fetch(f"http://{site}/images/bomb") == b"squeezed"
