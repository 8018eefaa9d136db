"""The gateway finds the word lists of the model repository that it runs with."""

from __future__ import annotations

from pathlib import Path

from gatepost_server.cli.app import with_word_lists
from gatepost_server.cli.settings import default_repository
from gatepost_server.gateway.settings import GatewaySettings
from gatepost_server.text.temper import read_abuse


def test_they_are_those_of_the_repository_unless_settings_say_otherwise(tmp_path: Path) -> None:
    found = with_word_lists(GatewaySettings.load(), default_repository()).word_lists
    assert found is not None
    assert read_abuse(found).entries
    own = GatewaySettings.load(word_lists=tmp_path)
    assert with_word_lists(own, default_repository()).word_lists == tmp_path


def test_a_repository_without_any_leaves_abuse_unseen(tmp_path: Path) -> None:
    assert with_word_lists(GatewaySettings.load(), tmp_path).word_lists is None
