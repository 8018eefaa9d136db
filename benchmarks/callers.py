"""What it costs to know who asks: each kind of credential, pace and quota, alone in one thread."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import numpy as np
import structlog
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from benchmarks import targets
from gatepost_server.gateway.allowance import Allowance
from gatepost_server.gateway.credentials.bearer import BearerTokens
from gatepost_server.gateway.credentials.caller import ASKER, Caller
from gatepost_server.gateway.credentials.issuer_keys import KeyFile
from gatepost_server.gateway.credentials.oidc import OidcTerms, OidcTokens
from gatepost_server.gateway.credentials.token_file import TokenFile, TokenStore
from gatepost_server.gateway.credentials.watched import WatchedFile
from gatepost_server.gateway.tenants import open_tenants
from gatepost_server.policy.book import open_book
from gatepost_server.records.usage import Usage

COMMAND = "python -m benchmarks.callers"
REPORT = targets.OUT / "bench" / "callers.json"
ROUNDS = 2_000
TOKENS = 1_000  # in the file
ISSUER = "https://issuer.example"


def main() -> int:
    """Measure, write, show; the exit code says whether the targets are met."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with tempfile.TemporaryDirectory(prefix="gatepost-callers-") as scratch:
        found = asyncio.run(_measure(Path(scratch)))
    targets.write(REPORT, found, rounds=ROUNDS, tokens=TOKENS)
    targets.show(found, "who may ask")
    return 0 if all(target.met is not False for target in found) else 1


async def _measure(folder: Path) -> list[targets.Target]:
    tokens, token = _tokens(folder)
    oidc, signed = _oidc(folder)
    (folder / "tenants.toml").write_text("[cards]\nimages_per_second = 1e9\nimages_per_day = 1_000_000_000\n")
    tenants = open_tenants(folder / "tenants.toml", open_book())
    allowance = Allowance(tenants, Usage(), closed=asyncio.Event())
    assert tokens.find(token) is not None
    return [
        targets.at_most(f"a token among {TOKENS}", _median_us(lambda: tokens.find(token)), 500, "µs", COMMAND),
        targets.reported("a wrong token", _median_us(lambda: tokens.find("gatepost_x_y")), "µs", COMMAND),
        targets.at_most("a JWT by ES256", await _async_us(lambda: oidc.find(signed["ES256"])), 1_000, "µs", COMMAND),
        targets.at_most("a JWT by RS256", await _async_us(lambda: oidc.find(signed["RS256"])), 1_000, "µs", COMMAND),
        targets.at_most("pace and quota of an image", _median_us(lambda: allowance.take("cards")), 200, "µs", COMMAND),
    ]


def _tokens(folder: Path) -> tuple[BearerTokens, str]:
    """A file of many tokens, and the last of them."""
    path = folder / "credentials.json"
    store = TokenStore(path)
    token, entry = store.new("cards", sorted(ASKER), id="last", lifetime=timedelta(days=1))
    others = [entry.model_copy(update={"id": f"token-{n}", "sha256": f"{n:064x}"}) for n in range(TOKENS - 1)]
    path.write_text(TokenFile(tokens=(*others, entry)).model_dump_json())
    return BearerTokens(WatchedFile(path, TokenFile.parse)), token


def _oidc(folder: Path) -> tuple[OidcTokens, dict[str, str]]:
    """An issuer with a key of each kind, and a token by each."""
    curve, numbers = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65_537, 2_048)
    keys = {
        "ES256": (curve, ECAlgorithm.to_jwk(curve.public_key(), as_dict=True)),
        "RS256": (numbers, RSAAlgorithm.to_jwk(numbers.public_key(), as_dict=True)),
    }
    jwks = {"keys": [{**public, "kid": name, "use": "sig"} for name, (_, public) in keys.items()]}
    (folder / "jwks.json").write_text(json.dumps(jwks))
    claims = {"iss": ISSUER, "aud": "gatepost", "sub": "x", "exp": time.time() + 3_600, "tenant": "cards"}
    signed = {name: jwt.encode(claims, key, name, {"kid": name}) for name, (key, _) in keys.items()}
    return OidcTokens(OidcTerms(ISSUER, "gatepost"), KeyFile(folder / "jwks.json")), signed


def _median_us(work: Callable[[], Any]) -> float:
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return float(np.median(taken) * 1e6)


async def _async_us(work: Callable[[], Coroutine[Any, Any, Caller | None]]) -> float:
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        assert await work() is not None
        taken.append(time.perf_counter() - started)
    return float(np.median(taken) * 1e6)


if __name__ == "__main__":
    sys.exit(main())
