"""From what a caller shows to who it is: one place that every kind of credential goes through."""

from __future__ import annotations

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.gateway.credentials.bearer import BearerTokens
from gatepost_server.gateway.credentials.caller import ANYBODY, Caller, unauthenticated
from gatepost_server.gateway.credentials.certificates import Certificates
from gatepost_server.gateway.credentials.issuer_keys import KeysAwayError
from gatepost_server.gateway.credentials.oidc import OidcTokens, looks_like_jwt

_RETRY_S = 5.0


class Authenticator:
    """With at least one kind of credential everybody needs one; with none, nobody does."""

    def __init__(
        self,
        *,
        tokens: BearerTokens | None = None,
        oidc: OidcTokens | None = None,
        certificates: Certificates | None = None,
    ) -> None:
        self._tokens = tokens
        self._oidc = oidc
        self._certificates = certificates

    @property
    def open(self) -> bool:
        """Whether anybody may ask."""
        return self._tokens is None and self._oidc is None and self._certificates is None

    async def without_connection(self, authorization: list[str]) -> Caller | None:
        """Who it is, from the headers of that name; None where only its certificate can say.

        Raises GatepostError: UNAUTHENTICATED, or UNAVAILABLE where an issuer's keys cannot be had.
        """
        if self.open:
            return ANYBODY
        if not authorization:
            if self._certificates is None:
                raise unauthenticated()
            return None
        # A bearer token says more than the certificate of the connection it came through, which may be a proxy's.
        if len(authorization) > 1:
            raise unauthenticated()
        scheme, _, token = authorization[0].partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise unauthenticated()
        found = await self._bearer(token)
        if found is None:
            raise unauthenticated()
        return found

    def by_certificate(self, pem: bytes | None) -> Caller:
        """Who it is, from the certificate of the connection. Raises GatepostError (UNAUTHENTICATED)."""
        found = None if self._certificates is None or pem is None else self._certificates.find(pem)
        if found is None:
            raise unauthenticated()
        return found

    async def _bearer(self, token: str) -> Caller | None:
        found = None if self._tokens is None else self._tokens.find(token)
        if found is None and self._oidc is not None and looks_like_jwt(token):
            try:
                found = await self._oidc.find(token)
            except KeysAwayError:
                raise GatepostError(
                    ErrorCode.UNAVAILABLE,
                    ErrorReason.ISSUER_UNAVAILABLE,
                    "the issuer's keys cannot be had at the moment",
                    retry_after_s=_RETRY_S,
                ) from None
        return found
