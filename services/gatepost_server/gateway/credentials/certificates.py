"""Client certificates as credentials: whose they are, from the names that their CA put in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

import structlog
from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from gatepost_server.gateway.credentials.caller import Caller

_log = structlog.get_logger("gatepost.credentials")


class Certificates:
    """Looks names up. gRPC has checked the certificate against the CA and its times already (TLS handshake)."""

    def __init__(self, callers: Callable[[], Mapping[str, Caller]], *, others: Caller | None) -> None:
        """`callers` by certificate name as they stand now; `others`: who everybody is while none stands there."""
        self._callers = callers
        self._others = others

    def find(self, pem: bytes) -> Caller | None:
        """Whose it is; None where it is nobody's, or where its names are of several callers."""
        try:
            names = certificate_names(pem)
        except ValueError as error:
            _log.warning("certificate_refused", error=type(error).__name__)
            return None
        callers = self._callers()
        if not callers:
            return self._others
        found = {callers[name] for name in names if name in callers}
        if not found:
            _log.info("certificate_refused", error="nobody claims it", names=names)
            return None
        if len({(caller.tenant, caller.roles) for caller in found}) > 1:
            _log.warning("certificate_refused", error="its names are of several callers", names=names)
            return None
        known = min(found, key=lambda caller: caller.credential)
        return replace(known, still=lambda: known in self._callers().values())


@lru_cache(maxsize=1_024)
def certificate_names(pem: bytes) -> tuple[str, ...]:
    """ "dns:...", "uri:...", "email:..." of the alternative names, and "subject:" with RFC 4514. Raises ValueError."""
    certificate = x509.load_pem_x509_certificate(pem)
    names = [f"subject:{certificate.subject.rfc4514_string()}"]
    try:
        held = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    except x509.ExtensionNotFound:
        return tuple(names)
    if isinstance(held, x509.SubjectAlternativeName):
        for kind, type_ in (("dns", x509.DNSName), ("uri", x509.UniformResourceIdentifier), ("email", x509.RFC822Name)):
            names += [f"{kind}:{name}" for name in held.get_values_for_type(type_)]
    return tuple(names)
