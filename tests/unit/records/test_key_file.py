"""The key of images at rest that `gatepostd up` makes for itself."""

from __future__ import annotations

import stat

from gatepost_server.cli.app import IMAGE_KEY, with_state
from gatepost_server.gateway.settings import GatewaySettings
from gatepost_server.records.key_file import make_key_file, read_key_file
from gatepost_server.records.sealing import Sealer, new_key


def test_a_key_is_made_once_for_its_owner_alone_and_seals(tmp_path):
    file = tmp_path / "state" / IMAGE_KEY
    assert read_key_file(file) is None
    make_key_file(file)
    made = read_key_file(file)
    make_key_file(file)
    assert read_key_file(file) == made
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.iterdir()] == [IMAGE_KEY]
    sealer = Sealer.of(made)
    assert sealer.open(sealer.seal(b"a card", "verdicts/1"), "verdicts/1") == b"a card"


def test_the_state_folders_key_is_used_where_the_settings_name_none(tmp_path):
    assert with_state(GatewaySettings.load(), tmp_path).image_keys is None
    make_key_file(tmp_path / IMAGE_KEY)
    found = with_state(GatewaySettings.load(), tmp_path).image_keys
    assert found.get_secret_value() == read_key_file(tmp_path / IMAGE_KEY)
    own = new_key()
    assert with_state(GatewaySettings.load(image_keys=own), tmp_path).image_keys.get_secret_value() == own
