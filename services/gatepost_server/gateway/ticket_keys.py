"""The public keys of release tickets over gRPC. They are public: the method needs no credential."""

from __future__ import annotations

from typing_extensions import override

from gatepost.v1 import ticket_pb2, ticket_pb2_grpc
from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.gateway.interceptors import Context
from gatepost_server.tickets.sign import TicketSigner


class TicketKeyServicer(ticket_pb2_grpc.TicketKeyServiceServicer):
    """gatepost.v1.TicketKeyService."""

    def __init__(self, signer: TicketSigner | None) -> None:
        self._signer = signer

    @override
    async def ListTicketKeys(
        self, request: ticket_pb2.ListTicketKeysRequest, context: Context
    ) -> ticket_pb2.ListTicketKeysResponse:
        """All keys whose tickets are good."""
        if self._signer is None:
            raise GatepostError(
                ErrorCode.FAILED_PRECONDITION, ErrorReason.TICKETS_OFF, "this server signs no release tickets"
            )
        return ticket_pb2.ListTicketKeysResponse(jwks=self._signer.jwks(), issuer=self._signer.issuer)
