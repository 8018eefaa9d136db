"""The public keys that release tickets are checked with, as a server shows them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TicketKeys:
    """gatepost_client.tickets.Jwks(keys.jwks) checks tickets with them."""

    jwks: str  # a JSON Web Key Set (RFC 7517)
    issuer: str  # what tickets say in `iss`
