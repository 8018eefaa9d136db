"""Where public keys come from, and when they are no longer believed."""

from __future__ import annotations

import http.server
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from jwt.algorithms import OKPAlgorithm

from gatepost_client.tickets import Jwks, JwksFile, JwksUrl, UnknownKeyError
from tests.minting import Mint


def test_a_set_finds_its_keys_by_their_ids():
    first, second = Mint("a"), Mint("b")
    keys = Jwks(json.dumps({"keys": [first.jwk(), second.jwk()]}))
    assert keys.find("b").public_bytes_raw() == second.key.public_key().public_bytes_raw()
    with pytest.raises(UnknownKeyError):
        keys.find("c")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"keys": []}', '{"keys": 1}', '{"keys": [{}]}', "[" * 100_000])
def test_what_is_no_set_of_keys_is_refused(text):
    with pytest.raises(ValueError, match="JSON Web Key Set"):
        Jwks(text)


def test_private_and_shared_keys_in_a_set_are_not_used():
    private = {**OKPAlgorithm.to_jwk(Mint().key, as_dict=True), "kid": "private"}
    shared = {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"}
    keys = Jwks(json.dumps({"keys": [private, shared]}))
    for kid in ("private", "shared"):
        with pytest.raises(UnknownKeyError):
            keys.find(kid)


def test_a_file_is_read_again_when_it_changes(tmp_path):
    path = tmp_path / "jwks.json"
    path.write_text(Mint("a").jwks())
    keys = JwksFile(path)
    keys.find("a")
    draft = tmp_path / "draft"
    draft.write_text(Mint("b").jwks())
    draft.rename(path)
    keys.find("b")
    with pytest.raises(UnknownKeyError):
        keys.find("a")


def test_an_unreadable_file_holds_no_keys(tmp_path):
    path = tmp_path / "jwks.json"
    keys = JwksFile(path)
    with pytest.raises(UnknownKeyError):
        keys.find("a")
    path.write_text(Mint("a").jwks())
    keys.find("a")
    path.write_text("{")
    os.utime(path, (1, 1))
    with pytest.raises(UnknownKeyError):
        keys.find("a")


@dataclass
class KeyServer:
    """Serves `answer`; counts how often it was asked."""

    answer: str
    status: int = 200
    asked: int = 0
    url: str = ""
    now: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)

    def clock(self) -> float:
        return self.now


@pytest.fixture
def server() -> Iterator[KeyServer]:
    facts = KeyServer(Mint("a").jwks())

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            facts.asked += 1
            self.send_response(facts.status)
            for name, value in facts.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(facts.answer.encode())

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        facts.url = f"http://127.0.0.1:{listening.server_address[1]}/.well-known/jwks.json"
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield facts
        listening.shutdown()
        thread.join()


def test_a_server_is_asked_once_in_a_while(server):
    keys = JwksUrl(server.url, max_age_s=60, clock=server.clock)
    for now in (0, 1, 59):
        server.now = now
        keys.find("a")
    assert server.asked == 1
    server.now = 60
    keys.find("a")
    assert server.asked == 2


def test_a_revoked_key_is_refused_once_the_keys_are_old(server):
    keys = JwksUrl(server.url, max_age_s=60, clock=server.clock)
    keys.find("a")
    server.answer = Mint("b").jwks()
    server.now = 60
    with pytest.raises(UnknownKeyError):
        keys.find("a")


def test_a_new_key_is_found_at_once_but_made_up_keys_cost_no_request_each(server):
    keys = JwksUrl(server.url, pause_s=5, clock=server.clock)
    keys.find("a")
    server.answer = json.dumps({"keys": [Mint("a").jwk(), Mint("b").jwk()]})
    server.now = 5
    keys.find("b")
    for number in range(100):
        with pytest.raises(UnknownKeyError):
            keys.find(f"made-up-{number}")
    assert server.asked == 2


def test_a_server_that_is_down_is_believed_until_its_keys_are_old_and_not_asked_by_everybody(server):
    keys = JwksUrl(server.url, max_age_s=60, pause_s=5, clock=server.clock)
    keys.find("a")
    server.status = 503
    server.now = 59
    keys.find("a")
    server.now = 60
    for _ in range(100):
        with pytest.raises(UnknownKeyError):
            keys.find("a")
    assert server.asked == 2
    server.status, server.now = 200, 65
    keys.find("a")


@pytest.mark.parametrize("answer", ["", "no JSON", "[]", '{"keys": []}', "[" * 100_000])
def test_an_answer_that_holds_no_keys_is_refused(server, answer):
    server.answer = answer
    with pytest.raises(UnknownKeyError):
        JwksUrl(server.url).find("a")


def test_keys_do_not_come_from_where_a_server_points(server):
    server.status, server.headers = 302, {"location": server.url + "?elsewhere"}
    with pytest.raises(UnknownKeyError):
        JwksUrl(server.url).find("a")


def test_a_server_that_does_not_listen_is_refused():
    with pytest.raises(UnknownKeyError):
        JwksUrl("http://127.0.0.1:9/jwks").find("a")


@pytest.mark.parametrize("url", ["", "jwks.json", "file:///etc/passwd", "ftp://host/jwks"])
def test_only_web_addresses_are_taken(url):
    with pytest.raises(ValueError, match="https"):
        JwksUrl(url)
