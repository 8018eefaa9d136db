"""A name leads to the open internet or nowhere."""

from __future__ import annotations

import socket

import pytest

from gatepost_server.gateway.public_addresses import PublicResolver, is_public


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "172.16.0.1",
        "169.254.169.254",  # the clouds' metadata
        "0.0.0.0",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fec0::1",  # site-local, deprecated and still routed by some
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:a9fe:a9fe",
        "::127.0.0.1",  # IPv4-compatible, deprecated
        "64:ff9b::10.0.0.1",  # NAT64 of a private address
        "2002:7f00:1::",  # 6to4 of 127.0.0.1
        "2001:db8::1",
        "no address",
    ],
)
def test_what_is_not_of_the_open_internet(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:21f:cb07::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
)
def test_what_is(address):
    assert is_public(address)


class TestPublicResolver:
    @pytest.fixture
    def answers(self, monkeypatch):
        """Names resolve to what the test says."""
        found: dict[str, list[str]] = {}

        def getaddrinfo(host, port, *rest, **options):
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found[host]]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return found

    async def test_a_name_that_leads_to_a_private_address_is_not_connected_to(self, answers):
        answers["cdn.example"] = ["10.0.0.1", "169.254.169.254"]
        with pytest.raises(OSError, match="no public address"):
            await PublicResolver().resolve("cdn.example", 80)

    async def test_only_the_public_addresses_of_a_name_are_used(self, answers):
        answers["cdn.example"] = ["10.0.0.1", "93.184.216.34"]
        found = await PublicResolver().resolve("cdn.example", 80)
        assert [address["host"] for address in found] == ["93.184.216.34"]

    async def test_localhost_is_this_machine_and_no_other(self, answers):
        answers["localhost"] = ["127.0.0.1", "10.0.0.1", "93.184.216.34"]
        found = await PublicResolver().resolve("localhost", 80)
        assert [address["host"] for address in found] == ["127.0.0.1"]
