"""A ring of keys on a disk: made, rotated, revoked, and damaged."""

from __future__ import annotations

import json
import stat
import threading

import pytest

from gatepost_server.domain.ticket import LONGEST_TICKET_S
from gatepost_server.tickets.folder import KeyFolder, RingError
from gatepost_server.tickets.ring import State


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path, clock) -> KeyFolder:
    return KeyFolder(tmp_path / "keys", clock=clock)


def pems(folder: KeyFolder) -> set[str]:
    return {path.stem for path in folder.folder.glob("*.pem")}


def states(folder: KeyFolder) -> list[State]:
    return [state for _, state in folder.states()]


def test_a_new_ring_has_one_key_that_signs(folder):
    assert not folder.exists()
    key = folder.init()
    assert folder.exists()
    assert states(folder) == [State.ACTIVE]
    assert folder.private(key).public_key().public_bytes_raw()


def test_only_the_owner_may_read_what_is_in_it(folder):
    folder.init()
    folder.rotate()
    assert stat.S_IMODE(folder.folder.stat().st_mode) == 0o700
    for path in folder.folder.iterdir():
        if path.name != ".lock":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
    assert {path.name for path in folder.folder.iterdir()} == {
        ".lock",
        "ring.json",
        *(f"{p}.pem" for p in pems(folder)),
    }


def test_a_ring_is_never_made_anew(folder):
    folder.init()
    with pytest.raises(RingError, match="already"):
        folder.init()


def test_rotation_publishes_first_and_signs_later(folder, clock):
    folder.init()
    folder.rotate(lead_s=60)
    assert states(folder) == [State.ACTIVE, State.NEXT]
    clock.now += 60
    assert states(folder) == [State.RETIRED, State.ACTIVE]
    clock.now += LONGEST_TICKET_S
    third = folder.rotate(lead_s=60)
    assert states(folder) == [State.ACTIVE, State.NEXT]
    assert pems(folder) == {key.kid for key, _ in folder.states()}
    assert third.kid in pems(folder)


def test_revoking_the_signing_key_makes_another_sign_at_once_and_deletes_the_private_half(folder):
    key = folder.init()
    new = folder.revoke(key.kid)
    assert states(folder) == [State.REVOKED, State.ACTIVE]
    assert pems(folder) == {new.kid}


def test_revoking_the_signing_key_hurries_the_next(folder):
    key = folder.init()
    waiting = folder.rotate(lead_s=600)
    assert folder.revoke(key.kid).kid == waiting.kid
    assert states(folder) == [State.REVOKED, State.ACTIVE]


def test_a_retired_key_does_not_come_back_when_the_active_one_is_revoked(folder, clock):
    folder.init()
    active = folder.rotate(lead_s=1)
    clock.now += 2
    folder.revoke(active.kid)
    assert states(folder) == [State.RETIRED, State.REVOKED, State.ACTIVE]


def test_other_files_in_the_folder_are_left_alone(folder):
    folder.folder.mkdir(mode=0o700)
    (folder.folder / "site.pem").write_text("somebody else's")
    folder.revoke(folder.init().kid)
    assert "site" in pems(folder)


def test_revoking_another_key_changes_nothing_for_the_signing_one(folder):
    folder.init()
    waiting = folder.rotate()
    assert folder.revoke(waiting.kid) is None
    assert states(folder) == [State.ACTIVE, State.REVOKED]
    with pytest.raises(RingError, match="no such key"):
        folder.revoke("0" * 16)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"version": 2, "keys": []}', '{"version": 1}', '{"version": 1, "keys": [{"kid": "a"}]}'],
)
def test_a_damaged_ring_is_said_so(folder, text):
    folder.init()
    (folder.folder / "ring.json").write_text(text)
    for use in (folder.read, folder.rotate, folder.states):
        with pytest.raises(RingError, match=r"ring\.json"):
            use()


def test_a_key_under_anothers_id_is_refused(folder):
    folder.init()
    path = folder.folder / "ring.json"
    content = json.loads(path.read_text())
    content["keys"][0]["kid"] = "../../../etc/key"
    path.write_text(json.dumps(content))
    with pytest.raises(RingError, match="damaged"):
        folder.read()


def test_a_private_key_of_another_or_none_is_refused(folder, tmp_path, clock):
    key = folder.init()
    other = KeyFolder(tmp_path / "other", clock=clock)
    foreign = (tmp_path / "other" / f"{other.init().kid}.pem").read_bytes()
    file = folder.folder / f"{key.kid}.pem"
    file.write_bytes(foreign)
    with pytest.raises(RingError, match="another key"):
        folder.private(key)
    file.write_bytes(b"no key")
    with pytest.raises(RingError, match="cannot be read"):
        folder.private(key)
    file.unlink()
    with pytest.raises(RingError, match="cannot be read"):
        folder.private(key)


def test_what_cannot_be_made_is_said_without_a_path(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RingError) as refused:
        KeyFolder(tmp_path / "file" / "keys").init()
    assert str(tmp_path) not in str(refused.value)


def test_changes_at_the_same_time_are_all_kept(folder):
    folder.init()
    threads = [threading.Thread(target=KeyFolder(folder.folder).rotate) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(folder.read().keys) == 9
    assert len(pems(folder)) == 9
