"""Names become addresses of the open internet, or nothing: what a URI names must not be a machine next door."""

from __future__ import annotations

import ipaddress
import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052


class PublicResolver(AbstractResolver):
    """Resolves names to public addresses only, and "localhost" to this machine's own.

    What it returns is what is connected to, so that a name cannot mean another address a moment later (rebinding).
    """

    def __init__(self) -> None:
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """As AbstractResolver.resolve. Raises OSError when no allowed address is left."""
        found = await self._inner.resolve(host, port, family)
        allowed = _is_loopback if host == "localhost" else is_public
        public = [address for address in found if allowed(address["host"])]
        if not public:
            raise OSError("no public address")
        return public

    async def close(self) -> None:
        """As AbstractResolver.close."""
        await self._inner.close()


def is_public(address: str) -> bool:
    """Whether an IPv4 or IPv6 address is one of the open internet.

    IPv6 addresses that carry an IPv4 address (mapped, 6to4, NAT64) are as public as that one.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        carried = parsed.ipv4_mapped or parsed.sixtofour
        if parsed in _NAT64:
            carried = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if carried is not None:
            return is_public(str(carried))
        if parsed.is_reserved or parsed.is_site_local:
            return False
    return parsed.is_global and not parsed.is_multicast


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback
