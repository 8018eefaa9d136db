"""From the settings to who may ask."""

from __future__ import annotations

from pathlib import Path

import structlog

from gatepost_server.domain.decision import DEFAULT_TENANT
from gatepost_server.domain.errors import GatepostError
from gatepost_server.gateway.credentials.authenticator import Authenticator
from gatepost_server.gateway.credentials.bearer import BearerTokens
from gatepost_server.gateway.credentials.caller import ASKER, Caller
from gatepost_server.gateway.credentials.certificates import Certificates
from gatepost_server.gateway.credentials.issuer_keys import KeyAddress, KeyFile, KeySource
from gatepost_server.gateway.credentials.oidc import OidcTerms, OidcTokens
from gatepost_server.gateway.credentials.token_file import TokenFile
from gatepost_server.gateway.credentials.watched import FileError, WatchedFile
from gatepost_server.gateway.settings import GatewaySettings, OidcSettings
from gatepost_server.gateway.tenants import Tenants

_HERE = ("127.0.0.1:", "localhost:", "[::1]:", "unix:")

_log = structlog.get_logger("gatepost.credentials")


def authenticator(settings: GatewaySettings, tenants: Tenants) -> Authenticator:
    """Every kind of credential that the settings name. Raises FileError, OSError (a CA's file)."""
    bearer = settings.credentials is not None or bool(settings.tokens)
    tokens = oidc = certificates = anybody = None
    if bearer:
        file = None if settings.credentials is None else WatchedFile(settings.credentials, TokenFile.parse)
        tokens = BearerTokens(file, [token.get_secret_value() for token in settings.tokens])
    if settings.oidc is not None:
        oidc = OidcTokens(_terms(settings.oidc), _keys(settings.oidc))
    if settings.tls is not None and settings.tls.client_ca is not None:
        # Alone, the CA's word is enough; beside other credentials only certificates that a tenant claims are one.
        anybody = None if bearer or oidc is not None else Caller(DEFAULT_TENANT, ASKER, "certificate")
        certificates = Certificates(tenants.certificates, others=anybody)
    elif tenants.certificates():
        raise FileError("tenants name certificates, and tls.client_ca does not say who signs them")
    found = Authenticator(tokens=tokens, oidc=oidc, certificates=certificates)
    if found.open or settings.tokens or (anybody is not None and not tenants.certificates()):
        _check_default(tenants)
    return found


def warn(settings: GatewaySettings, *, everybody: bool) -> None:
    """Say at start, and loudly, what an operator may not have meant."""
    if everybody:
        _log.warning(
            "OPEN_TO_EVERYBODY",
            listen=settings.listen,
            meaning="no credential is configured: whoever reaches this address may have images judged",
            help="gatepostd tokens new; docs/security.md",
        )
    elif settings.tls is None and not settings.listen.startswith(_HERE):
        _log.warning(
            "CREDENTIALS_IN_PLAIN_TEXT",
            listen=settings.listen,
            meaning="without tls whoever sees the traffic can take the credentials, unless a proxy in front has TLS",
        )
    if settings.tokens:
        _log.warning("TOKENS_IN_SETTINGS", help="gatepostd tokens new makes tokens that are hashed, expire and rotate")


def _terms(settings: OidcSettings) -> OidcTerms:
    return OidcTerms(
        issuer=settings.issuer,
        audience=settings.audience,
        algorithms=settings.algorithms,
        leeway_s=settings.leeway_s,
        tenant_claim=settings.tenant_claim,
        roles_claim=settings.roles_claim,
        role_prefix=settings.role_prefix,
    )


def _keys(settings: OidcSettings) -> KeySource:
    if "://" in settings.jwks:
        return KeyAddress(settings.jwks, ca=settings.jwks_ca)
    return KeyFile(Path(settings.jwks))


def _check_default(tenants: Tenants) -> None:
    try:
        tenants.find(DEFAULT_TENANT)
    except GatepostError as error:
        raise FileError(f"tenants: there is no [{DEFAULT_TENANT}], of which callers without a tenant are") from error
