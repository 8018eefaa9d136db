"""Release tickets: proof that exactly these bytes were allowed, checked without asking the server.

from gatepost_client.tickets import JwksFile, verify

verify(image_bytes, ticket, JwksFile("jwks.json"), audience="greeting-card")  # raises TicketRefused
"""

from gatepost_client.tickets.check import MAX_TICKET_CHARACTERS, Refusal, Ticket, TicketRefused, verify, verify_digest
from gatepost_client.tickets.keys import Jwks, JwksFile, JwksUrl, KeySource, UnknownKeyError

__all__ = [
    "MAX_TICKET_CHARACTERS",
    "Jwks",
    "JwksFile",
    "JwksUrl",
    "KeySource",
    "Refusal",
    "Ticket",
    "TicketRefused",
    "UnknownKeyError",
    "verify",
    "verify_digest",
]
