"""Sources and destinations in an object store, over a real socket."""

from __future__ import annotations

import io
import json
import os
import tarfile

import pytest

from gatepost_server.rescan.failures import CredentialsError, Failure, Halt, PausedError, SourceError
from gatepost_server.rescan.filters import Filters
from gatepost_server.rescan.inputs import Input
from gatepost_server.rescan.job import Asked, Destination, Done, Job
from gatepost_server.rescan.lease import only_driver
from gatepost_server.rescan.plan import plan, planned
from gatepost_server.rescan.reading import fetch
from gatepost_server.rescan.sources.open import open_source
from gatepost_server.rescan.stores import choose, cloud
from gatepost_server.rescan.stores.base import address
from tests.s3_server import client_of, s3_server

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server():
    with s3_server("cards", "results") as (url, environment):
        yield url, environment


@pytest.fixture
def bucket(server, monkeypatch):
    """boto3's client; obstore finds the server by the environment."""
    url, environment = server
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    choose._store.cache_clear()
    yield client_of(url)
    choose._store.cache_clear()


def scanned(source, **filters):
    return list(open_source(address(source), Filters(**filters)))


def test_a_prefix_a_glob_a_tar_and_a_manifest_are_read(bucket):
    for name in ("new/a.png", "new/deep/b c#é.jpg", "new/notes.txt", "old/c.png"):
        bucket.put_object(Bucket="cards", Key=name, Body=name.encode())
    found = scanned("s3://cards/new/")
    assert [each.uri for each in found] == ["s3://cards/new/a.png", "s3://cards/new/deep/b c#é.jpg"]
    assert [fetch(each, 1_000) for each in found] == [b"new/a.png", "new/deep/b c#é.jpg".encode()]
    assert [each.uri for each in scanned("s3://cards/*/?.png")] == ["s3://cards/new/a.png", "s3://cards/old/c.png"]

    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, body in {"1.png": b"x" * 3_000, "1.txt": b"a wish", "2.png": b"y"}.items():
            member = tarfile.TarInfo(name)
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    bucket.put_object(Bucket="cards", Key="tars/t.tar", Body=content.getvalue())
    first, second = scanned("s3://cards/tars/t.tar")
    assert (first.prompt, fetch(first, 5_000), fetch(second, 5_000)) == ("a wish", b"x" * 3_000, b"y")

    rows = [{"uri": "../new/a.png", "n": 1}, {"uri": "a.png", "n": 2}, {"uri": "s3://cards/old/c.png", "n": 3}]
    bucket.put_object(Bucket="cards", Key="new/m.jsonl", Body="\n".join(map(json.dumps, rows)).encode())
    assert [fetch(each, 99) for each in scanned("s3://cards/new/m.jsonl", where="n <> 2")] == [
        b"new/a.png",
        b"old/c.png",
    ]


def test_a_missing_object_and_one_that_is_too_large_are_failures(bucket):
    bucket.put_object(Bucket="cards", Key="large.png", Body=b"x" * 2_000)
    reason = lambda uri: fetch(Input(0, uri, uri, uri), 1_000).reason  # noqa: E731
    assert reason("s3://cards/nothing.png") == "SOURCE_MISSING"
    assert reason("s3://cards/large.png") == "IMAGE_TOO_LARGE"


def test_a_plan_and_finished_shards_come_back(bucket):
    destination = Destination(address("s3://results/planned"))
    assert destination.job() is None
    inputs = [Input(number, str(number), f"uri-{number}", "file") for number in range(5)]
    job = plan(destination, Asked("x"), inputs, shard_size=2, embedding_size=2, told=lambda _: None)
    assert destination.job() == job == Job(Asked("x"), 5, 2, 2)
    assert [each.number for shard in range(job.shards) for each in planned(destination, shard)] == [0, 1, 2, 3, 4]
    assert destination.done() == {}
    done = Done(1, destination.shard_name(1), 2, 99, "ab", {"ALLOW": 2})
    destination.finish(done)
    assert destination.done() == {1: done}


@pytest.mark.parametrize(
    ("status", "code", "halts"),
    [
        (403, "AccessDenied", False),
        (403, "InvalidAccessKeyId", True),
        (400, "ExpiredToken", True),
        (401, "Unauthorized", True),
    ],
)
def test_credentials_that_are_over_halt_and_a_locked_object_does_not(httpd, monkeypatch, status, code, halts):
    httpd.answer = (status, f"<Error><Code>{code}</Code><Message>no</Message></Error>")
    for name, value in {"AWS_ENDPOINT_URL": httpd.url, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    choose._store.cache_clear()
    told = fetch(Input(0, "a", "s3://cards/a.png", "s3://cards/a.png"), 1_000)
    choose._store.cache_clear()
    if halts:
        assert isinstance(told, Halt)
        assert "credentials" in told.why
        with pytest.raises(CredentialsError):
            cloud.CloudStore("s3://cards").read("a.png")
    else:
        assert isinstance(told, Failure)
        assert told.reason == "SOURCE_DENIED"
        with pytest.raises(SourceError):
            cloud.CloudStore("s3://cards").read("a.png")


@pytest.mark.parametrize("root", ["s3://cards", "az://cards"])
def test_a_machine_without_credentials_or_a_role_halts(httpd, monkeypatch, root):
    for name in list(os.environ):
        if name.startswith(("AWS_", "AZURE_")):
            monkeypatch.delenv(name)
    for name in ("AWS_ENDPOINT_URL", "AWS_METADATA_ENDPOINT", "AZURE_STORAGE_ENDPOINT", "AZURE_MSI_ENDPOINT"):
        monkeypatch.setenv(name, httpd.url)  # where a role would be asked for
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AZURE_ALLOW_HTTP", "true")
    httpd.answer = (404, "")
    with pytest.raises(CredentialsError):
        cloud.CloudStore(root).read("a.png")


@pytest.fixture
def httpd():
    """A server that gives every request the same answer."""
    import threading
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Server(ThreadingHTTPServer):
        answer = (500, "")

        @property
        def url(self) -> str:
            return f"http://127.0.0.1:{self.server_address[1]}"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = self.server.answer
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        do_PUT = do_GET

        def log_message(self, *_) -> None: ...

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_of_two_drivers_in_a_bucket_one_is_refused_and_may_follow(bucket):
    destination = Destination(address("s3://results/driven"))
    with only_driver(destination) as lease:
        lease.renew()
        with pytest.raises(PausedError, match="at work"), only_driver(destination):
            raise AssertionError("two drivers at a time")
    with only_driver(destination) as lease:
        lease.check()
    assert not destination.create("_gatepost/drivers/000000.json", b"somebody else")
