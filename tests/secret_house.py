"""A gateway process that knows a secret of every kind, and keeps what it prints and what its callers hear."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any

import grpc

from gatepost_server.gateway.credentials.caller import Role
from gatepost_server.gateway.credentials.token_file import TokenStore
from gatepost_server.tickets.folder import KeyFolder
from tests.authorities import Authority

MARK = "hunter2"  # in every secret whose words are free to choose
START_S = 120.0

GATEWAY = """
import asyncio
from gatepost_server.cli.logs import LogSettings, configure_logs
from gatepost_server.gateway.server import serve
from gatepost_server.gateway.settings import GatewaySettings
from gatepost_server.scoring.fake import FakeScorer

configure_logs(LogSettings())
ready = lambda addresses: print("READY", addresses.grpc, addresses.http, flush=True)
asyncio.run(serve(GatewaySettings.load(), ready=ready, scorer=FakeScorer()))
"""


class SecretHouse:
    """Runs until `close`; afterwards `printed` is all that it said."""

    def __init__(self, folder: Path, *, level: str, form: str) -> None:
        self.folder = folder
        self._make_secrets()
        self.lines: list[str] = []
        self.heard: list[str] = []
        self._ready = threading.Event()
        self._process = subprocess.Popen(
            [sys.executable, "-c", GATEWAY],
            env=os.environ | self._environment() | {"GATEPOST_LOG_LEVEL": level, "GATEPOST_LOG_FORMAT": form},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def secrets(self) -> list[str]:
        """What must be told nowhere: the tokens, and every line of the private keys."""
        keys = [self.tls["key"], *self.ring.folder.glob("*.pem")]
        lines = [line for path in keys for line in path.read_text().splitlines() if not line.startswith("-----")]
        assert len(keys) > 1
        return [MARK, self.asker, self.reader, self.revoked, *lines]

    @property
    def printed(self) -> str:
        return "".join(self.lines)

    def channel(self) -> grpc.Channel:
        """To the gateway, which must be ready by then."""
        credentials = grpc.ssl_channel_credentials(self.authority.certificate)
        return grpc.secure_channel(self._addresses()[0], credentials)

    def page(self, path: str) -> None:
        """Hear what the page without TLS says there."""
        try:
            with urllib.request.urlopen(f"http://{self._addresses()[1]}{path}", timeout=30) as answer:
                self.heard.append(answer.read().decode())
        except urllib.error.HTTPError as error:
            self.heard.append(f"{error.headers}{error.read().decode()}")

    def call(self, method: Any, request: Any, *authorization: str, timeout: float = 30.0) -> str:
        """Call, hear the answer or the whole error, and give the code's name."""
        try:
            answer = method(request, metadata=[("authorization", each) for each in authorization], timeout=timeout)
            self.heard.append(str(answer if hasattr(answer, "DESCRIPTOR") else list(answer)))
        except grpc.RpcError as error:
            self.heard.append(f"{error.details()} {error.debug_error_string()} {error.trailing_metadata()}")
            return error.code().name
        return "OK"

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(60.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _make_secrets(self) -> None:
        tokens = TokenStore(self.folder / "tokens.json")
        self.asker, _ = tokens.new("cards", [Role.MODERATE, Role.READ])
        self.reader, _ = tokens.new("cards", [Role.READ])
        self.revoked, entry = tokens.new("cards", [Role.MODERATE])
        tokens.revoke(entry.id)
        self.ring = KeyFolder(self.folder / "keys")
        self.ring.init()
        self.authority = Authority()
        self.tls = self.authority.server_files(self.folder)

    def _environment(self) -> dict[str, str]:
        prefixes = ["http://127.0.0.1:9/", f"file://{self.folder}/images/"]
        settings = {
            "LISTEN": "127.0.0.1:0",
            "HTTP_LISTEN": "127.0.0.1:0",
            "CANARY_INTERVAL_S": "0",  # the fake cannot read cards
            "CREDENTIALS": str(self.folder / "tokens.json"),
            "TOKENS": json.dumps([f"plain-{MARK}"]),
            "TICKET_KEYS": str(self.ring.folder),
            "TLS__CERTIFICATE": str(self.tls["certificate"]),
            "TLS__KEY": str(self.tls["key"]),
            "BACKLOG": str(self.folder / "store" / "backlog.db"),
            "IMAGE_URI_PREFIXES": json.dumps(prefixes),
            "OIDC__ISSUER": "https://issuer.example",
            "OIDC__AUDIENCE": "gatepost",
            "OIDC__JWKS": f"https://reader:{MARK}@127.0.0.1:9/jwks?key={MARK}",
        }
        return {f"GATEPOST_GATEWAY_{name}": value for name, value in settings.items()}

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line)
            if line.startswith("READY"):
                self._ready.set()

    def _addresses(self) -> list[str]:
        assert self._ready.wait(START_S), self.printed
        return next(line.split()[1:] for line in self.lines if line.startswith("READY"))
