"""Signed tickets pass the SDK's check; a ring that changes under the signer does no harm."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace

import pytest

from gatepost_client.tickets import Jwks, Refusal, TicketRefused, verify
from gatepost_client.tickets import check as client
from gatepost_client.verdict import Versioned
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.ticket import LONGEST_TICKET_S, Release, TicketTerms
from gatepost_server.tickets import sign
from gatepost_server.tickets.folder import KeyFolder
from gatepost_server.tickets.sign import TicketSigner

IMAGE = b"a card"
RELEASE = Release(
    verdict="verdicts/1",
    image_sha256=hashlib.sha256(IMAGE).hexdigest(),
    policy="greeting-card",
    policy_version="0123456789abcdef",
    models={"clip": "1", "ocr": "2"},
    terms=TicketTerms("greeting-card", 600),
)


@pytest.fixture
def folder(tmp_path) -> KeyFolder:
    made = KeyFolder(tmp_path / "keys")
    made.init()
    return made


@pytest.fixture
def signer(folder) -> TicketSigner:
    return TicketSigner(folder)


def checked(ticket: str, signer: TicketSigner):
    return verify(IMAGE, ticket, Jwks(signer.jwks()), audience="greeting-card")


def test_both_sides_speak_of_the_same_kind_of_token():
    assert (sign.TYPE, sign.ALGORITHM) == (client.TYPE, client.ALGORITHM)


def test_a_ticket_says_everything_and_passes_the_check(signer, folder):
    found = checked(signer.sign(RELEASE), signer)
    assert (found.verdict, found.audience, found.issuer) == ("verdicts/1", "greeting-card", "gatepost")
    assert found.policy == Versioned("greeting-card", "0123456789abcdef")
    assert found.models == (Versioned("clip", "1"), Versioned("ocr", "2"))
    assert (found.expires - found.issued).total_seconds() == 600
    assert found.key_id == folder.read().keys[0].kid
    assert checked(signer.sign(RELEASE), signer).id != found.id


def test_rotation_needs_no_restart_and_spoils_no_ticket(signer, folder):
    before = signer.sign(RELEASE)
    folder.rotate(lead_s=0)
    after = signer.sign(RELEASE)
    assert checked(before, signer).key_id != checked(after, signer).key_id


def test_a_revoked_key_is_gone_at_once(signer, folder):
    before = signer.sign(RELEASE)
    folder.revoke(checked(before, signer).key_id)
    with pytest.raises(TicketRefused) as refused:
        checked(before, signer)
    assert refused.value.reason is Refusal.KEY
    assert checked(signer.sign(RELEASE), signer)


def test_signing_and_reading_go_on_while_keys_change(signer, folder):
    problems: list[Exception] = []
    stop = threading.Event()

    def work() -> None:
        own = TicketSigner(KeyFolder(folder.folder))
        while not stop.is_set():
            try:
                checked(own.sign(RELEASE), own)
            except (GatepostError, TicketRefused) as error:
                problems.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(30):
        folder.rotate(lead_s=0)
    stop.set()
    for thread in threads:
        thread.join()
    assert not problems


def unavailable(action) -> None:
    with pytest.raises(GatepostError) as refused:
        action()
    assert (refused.value.code, refused.value.reason) == (ErrorCode.UNAVAILABLE, ErrorReason.TICKETS_UNAVAILABLE)


def test_without_a_ring_nothing_is_signed_or_shown(tmp_path):
    signer = TicketSigner(KeyFolder(tmp_path / "none"))
    unavailable(lambda: signer.sign(RELEASE))
    unavailable(signer.jwks)


def test_a_ring_that_is_damaged_later_signs_nothing_more_until_it_is_mended(signer, folder):
    signer.sign(RELEASE)
    path = folder.folder / "ring.json"
    good = path.read_bytes()
    path.write_bytes(b"{")
    for _ in range(2):
        unavailable(lambda: signer.sign(RELEASE))
        unavailable(signer.jwks)
    path.write_bytes(good)
    assert checked(signer.sign(RELEASE), signer)
    path.unlink()
    unavailable(lambda: signer.sign(RELEASE))


def test_a_lost_private_key_signs_nothing(signer, folder):
    for pem in folder.folder.glob("*.pem"):
        pem.unlink()
    unavailable(lambda: signer.sign(RELEASE))


@pytest.mark.parametrize("ttl_s", [0, -1, LONGEST_TICKET_S + 1])
def test_no_ticket_outlives_its_key(signer, ttl_s):
    unavailable(lambda: signer.sign(replace(RELEASE, terms=TicketTerms("a", ttl_s))))
