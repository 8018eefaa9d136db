"""Where a console may listen, and what it may be called."""

from __future__ import annotations

import pytest

from gatepost_server.console.settings import ConsoleSettings


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "localhost:8080", "[::1]:8080"])
def test_this_machine_needs_no_tls(listen):
    assert not ConsoleSettings(listen=listen).secure


@pytest.mark.parametrize("listen", ["0.0.0.0:8080", "10.0.0.5:80", "[::]:80", "review.example:80", ":80"])
def test_others_reach_it_through_tls_alone(listen):
    with pytest.raises(ValueError, match="public_url"):
        ConsoleSettings(listen=listen)
    assert ConsoleSettings(listen=listen, public_url="https://review.example").secure


@pytest.mark.parametrize(
    "url", ["http://review.example", "review.example", "https://", "https://a.example/path", "https://a.example?x=1"]
)
def test_a_public_url_is_a_host_with_tls(url):
    with pytest.raises(ValueError, match="public_url"):
        ConsoleSettings(public_url=url)


def test_only_its_own_names_may_stand_in_the_host_header():
    assert "review.example" in ConsoleSettings(public_url="https://review.example:8443").hosts
    assert set(ConsoleSettings().hosts) == {"127.0.0.1", "localhost", "[::1]"}
