"""The file gate, alone and behind a real nginx with the configuration of examples/nginx."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gatepost_client.tickets import JwksFile
from gatepost_client.tickets.files import FileGate
from tests.minting import AUDIENCE, Mint
from tests.nginx import running_nginx
from tests.web_servers import running_asgi

pytestmark = pytest.mark.integration

KIND, UGLY = b"\x89PNG\r\n\x1a\n kind" * 50, b"\x89PNG\r\n\x1a\n ugly" * 50
MINT = Mint()


@dataclass(frozen=True)
class Web:
    """nginx, the gate behind it, and what they serve."""

    nginx: str
    gate: str
    pictures: Path
    jwks: Path

    def get(self, path: str, *, method: str = "GET", **headers: str) -> tuple[int, bytes, dict[str, str]]:
        return fetch(self.nginx, path, method=method, **headers)


def fetch(address: str, path: str, *, method: str = "GET", **headers: str) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection(address, timeout=10)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read(), {key.lower(): value for key, value in answer.getheaders()}
    finally:
        connection.close()


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    pictures, scratch = tmp_path_factory.mktemp("pictures"), tmp_path_factory.mktemp("nginx")
    (pictures / "deep" / "images").mkdir(parents=True)
    (pictures / "kind.png").write_bytes(KIND)
    (pictures / "新年 好.png").write_bytes(KIND)
    (pictures / "ugly.png").write_bytes(UGLY)
    (pictures / "deep" / "kind.png").write_bytes(KIND)
    outside = tmp_path_factory.mktemp("outside")
    (outside / "kind.png").write_bytes(KIND)
    (pictures / "link").symlink_to(outside)
    # Read in one way these are kind, in the other way ugly.
    (pictures / "inner").symlink_to(pictures / "deep" / "images")
    (pictures / "deep" / "twice.png").write_bytes(KIND)
    (pictures / "twice.png").write_bytes(UGLY)
    (pictures / "ugly.png#a").write_bytes(KIND)
    (pictures / "images").mkdir()
    (pictures / "images" / "kind.png").write_bytes(UGLY)
    jwks = scratch / "jwks.json"
    jwks.write_text(MINT.jwks())
    with (
        running_asgi(FileGate(pictures, keys=JwksFile(jwks), audience=AUDIENCE)) as gate,
        running_nginx(pictures, gate, scratch) as nginx,
    ):
        yield Web(nginx, gate, pictures, jwks)


def test_a_picture_is_served_with_its_ticket_and_only_with_it(web):
    ticket = MINT.ticket(KIND)
    status, body, headers = web.get(f"/images/kind.png?ticket={ticket}")
    assert (status, body, headers["cache-control"]) == (200, KIND, "no-store")
    assert web.get("/images/kind.png", Gatepost_Ticket=ticket)[:2] == (200, KIND)
    assert web.get("/images/kind.png", Cookie=f"gatepost_ticket={ticket}")[:2] == (200, KIND)
    for wrong in (
        "/images/kind.png",
        "/images/kind.png?ticket=",
        f"/images/ugly.png?ticket={ticket}",
        f"/images/kind.png?ticket={MINT.ticket(UGLY)}",
        f"/images/kind.png?ticket={MINT.ticket(KIND, exp=1)}",
        f"/images/kind.png?ticket={MINT.ticket(KIND, aud='strict')}",
        f"/images/kind.png?ticket={MINT.ticket(KIND, header={'alg': 'none'})}",
        f"/images/kind.png?ticket={Mint('key-2').ticket(KIND)}",
        f"/images/kind.png?ticket={Mint().ticket(KIND)}",
    ):
        status, body, _ = web.get(wrong)
        assert status == 403, wrong
        assert KIND not in body
        assert UGLY not in body


def test_one_changed_byte_on_the_disk_is_refused(web):
    changed = web.pictures / "changed.png"
    changed.write_bytes(KIND)
    path = f"/images/changed.png?ticket={MINT.ticket(KIND)}"
    assert web.get(path)[0] == 200
    changed.write_bytes(KIND[:-1] + b"x")
    assert web.get(path)[0] == 403


def test_names_in_any_script_are_found(web):
    assert web.get(f"/images/%E6%96%B0%E5%B9%B4%20%E5%A5%BD.png?ticket={MINT.ticket(KIND)}")[:2] == (200, KIND)


def test_a_part_is_given_of_what_was_checked_as_a_whole(web):
    ticket = MINT.ticket(KIND)
    assert web.get(f"/images/kind.png?ticket={ticket}", Range="bytes=8-11")[:2] == (206, KIND[8:12])
    assert web.get("/images/kind.png", Range="bytes=8-11")[0] == 403
    assert web.get(f"/images/kind.png?ticket={ticket}", method="HEAD")[:2] == (200, b"")
    assert web.get("/images/kind.png", method="HEAD")[0] == 403


@pytest.mark.parametrize(
    "path",
    [
        "/images/inner/../twice.png",
        "/images/ugly.png#a",
        "/images/link/../ugly.png",
        "/images/deep/../ugly.png",
        "/images//ugly.png",
        "//images/ugly.png",
        "//images/images/kind.png",
        "/images/./ugly.png",
        "/images/%2e%2e/images/ugly.png",
        "/images/deep/%2E%2E/ugly.png",
        "/images/deep%2f..%2fugly.png",
        "/images/deep%5c..%5cugly.png",
        "/images/ugly.png%00.png",
        "/images/ugly.png%0d%0aX-Original-URI:%20/images/kind.png",
        "/images/ugly.png#/images/kind.png",
        "/images/link/kind.png",
        "/images/deep/..",
        "/images/deep",
        "/images/",
        "/images/ugly.png?x=/images/kind.png",
        "/images/missing.png",
        "/%69mages/ugly.png",
        "/images/../images/ugly.png",
        "/elsewhere/../images/ugly.png",
    ],
)
def test_no_address_serves_another_picture_than_the_checked_one(web, path):
    mark = "&" if "?" in path else "?"
    assert fetch(web.nginx, "/images/ugly.png")[0] == 403  # it is there
    for given in (f"{path}{mark}ticket={MINT.ticket(KIND)}", path):
        status, body, _ = web.get(given, Gatepost_Ticket=MINT.ticket(KIND))
        assert status >= 300, (given, status)
        assert UGLY not in body


def test_the_callers_own_question_to_the_gate_is_not_passed_on(web):
    forged = {"X_Original_URI": "/images/kind.png"}
    assert web.get("/images/ugly.png", Gatepost_Ticket=MINT.ticket(KIND), **forged)[0] == 403
    assert web.get("/_gatepost", Gatepost_Ticket=MINT.ticket(KIND), **forged)[0] == 404


def test_an_old_copy_is_not_confirmed_without_a_ticket(web):
    assert web.get("/images/kind.png", If_Modified_Since="Fri, 01 Jan 2100 00:00:00 GMT")[0] == 403
    fresh = web.get(f"/images/kind.png?ticket={MINT.ticket(KIND)}", If_Modified_Since="Fri, 01 Jan 2100 00:00:00 GMT")
    assert fresh[:2] == (200, KIND)


def test_a_revoked_key_opens_nothing_more(web):
    path = f"/images/kind.png?ticket={MINT.ticket(KIND)}"
    assert web.get(path)[0] == 200
    web.jwks.write_text(Mint("key-2").jwks())
    try:
        assert web.get(path)[0] == 403
        web.jwks.unlink()
        assert web.get(path)[0] == 403
    finally:
        web.jwks.write_text(MINT.jwks())
    assert web.get(path)[0] == 200


def test_without_the_gate_nothing_is_served(tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "kind.png").write_bytes(KIND)
    (tmp_path / "nginx").mkdir()
    with running_nginx(tmp_path / "pictures", "127.0.0.1:9", tmp_path / "nginx") as nginx:
        status, body, _ = fetch(nginx, f"/images/kind.png?ticket={MINT.ticket(KIND)}")
    assert (status, KIND in body) == (500, False)


def test_a_question_without_an_address_or_with_two_is_refused(web):
    ticket = MINT.ticket(KIND)
    assert fetch(web.gate, f"/?ticket={ticket}")[0] == 403
    two = {"X_Original_URI": f"/images/kind.png?ticket={ticket}", "x_original_uri": f"/images/kind.png?ticket={ticket}"}
    assert fetch(web.gate, "/", **two)[0] == 403
    assert fetch(web.gate, "/", X_Original_URI=f"/images/kind.png?ticket={ticket}")[0] == 204


def test_a_prefix_must_stand_between_slashes_and_the_folder_must_be_there(tmp_path):
    with pytest.raises(ValueError, match="between slashes"):
        FileGate(tmp_path, keys=MINT.keys(), audience=AUDIENCE, prefix="/images")
    with pytest.raises(FileNotFoundError):
        FileGate(tmp_path / "none", keys=MINT.keys(), audience=AUDIENCE)
