"""Throw-away certificates and an OIDC issuer for tests."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from jwt.algorithms import ECAlgorithm

ISSUER, AUDIENCE = "https://issuer.example", "gatepost"


@dataclass(frozen=True)
class Signed:
    """A certificate with its key, PEM."""

    certificate: bytes
    key: bytes


class Authority:
    """A CA of the test's own."""

    def __init__(self, name: str = "test authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        built = _builder(self._name, self._name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.certificate = _pem(built.sign(self._key, hashes.SHA256()))

    def sign(self, common_name: str, *names: x509.GeneralName) -> Signed:
        """For a server or a client."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        built = _builder(subject, self._name, key.public_key())
        if names:
            built = built.add_extension(x509.SubjectAlternativeName(names), critical=False)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return Signed(_pem(built.sign(self._key, hashes.SHA256())), private)

    def server_files(self, folder: Path, *, clients: bool = False) -> dict[str, Path]:
        """Settings `tls` of a gateway on 127.0.0.1; with `clients`, callers must show a certificate of this CA."""
        signed = self.sign("gatepost", x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost"))
        files = {"certificate": folder / "server.pem", "key": folder / "server.key", "client_ca": folder / "ca.pem"}
        for path, content in zip(files.values(), (signed.certificate, signed.key, self.certificate), strict=True):
            path.write_bytes(content)
        return files if clients else {name: path for name, path in files.items() if name != "client_ca"}


@dataclass
class Issuer:
    """An OIDC issuer: signs tokens, shows its keys over HTTP while `serving`."""

    kid: str = "key-1"
    key: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    requests: int = 0
    away: bool = False

    def jwk(self) -> dict[str, Any]:
        return {**ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True), "kid": self.kid, "use": "sig"}

    def jwks(self, *more: dict[str, Any]) -> str:
        return json.dumps({"keys": [self.jwk(), *more]})

    def token(self, *, header: dict[str, Any] | None = None, **changed: Any) -> str:
        """Good for an hour, of the tenant "cards"; claims that are None are left out."""
        now = int(time.time())
        said: dict[str, Any] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "backend-7",
            "iat": now,
            "exp": now + 3_600,
            "tenant": "cards",
            "roles": ["moderate", "read"],
        }
        claims = {name: value for name, value in {**said, **changed}.items() if value is not None}
        head = {name: value for name, value in {"kid": self.kid, **(header or {})}.items() if value is not None}
        return jwt.encode(claims, self.key, algorithm="ES256", headers=head)

    @contextlib.contextmanager
    def serving(self) -> Iterator[str]:
        """The address of its keys."""
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.requests += 1
                self.send_response(503 if issuer.away else 200)
                self.end_headers()
                self.wfile.write(b"" if issuer.away else issuer.jwks().encode())

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/jwks.json"
        finally:
            server.shutdown()
            thread.join(10)
            server.server_close()


def rsa_jwk(bits: int, kid: str) -> dict[str, Any]:
    """A public RSA key."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=bits)
    return {**jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig"}


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
