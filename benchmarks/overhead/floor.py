"""What the parts cost by themselves, and the least that they can cost: medians of processor time, in microseconds.

A signature has to be made and a digest taken whatever stands around them. Writes to a disk are in wall time.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sqlite3
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gatepost.v1 import moderation_pb2
from gatepost_server.domain.decision import ModerationRequest, ReasonCode, Verdict
from gatepost_server.domain.ticket import Release, TicketTerms
from gatepost_server.gateway.credentials.bearer import BearerTokens
from gatepost_server.gateway.credentials.caller import Role
from gatepost_server.gateway.credentials.token_file import TokenFile, TokenStore
from gatepost_server.gateway.credentials.watched import WatchedFile
from gatepost_server.gateway.wire import verdict_to_wire
from gatepost_server.moderate.nearline import held_verdict
from gatepost_server.moderate.once import digested, fingerprint
from gatepost_server.policy.book import DEFAULT_POLICY, open_book
from gatepost_server.policy.coverage import cover
from gatepost_server.policy.judge import judge
from gatepost_server.records.backlog import BacklogLimits
from gatepost_server.records.sql_backlog import SqlBacklog
from gatepost_server.scoring.fake import FakeScorer
from gatepost_server.tickets.folder import KeyFolder
from gatepost_server.tickets.sign import TicketSigner

ROUNDS = 500
COMMITS = 50


def floor(scratch: Path, image: bytes) -> dict[str, float]:
    """By what was done, microseconds."""
    request = ModerationRequest(request_id=uuid.uuid4().hex, image=image)
    policy = open_book(None, default=DEFAULT_POLICY).for_request("")
    evidence = asyncio.run(FakeScorer().score(request, timeout_s=10.0))
    _, judgement = judge(evidence, request, policy)
    verdict = Verdict(f"verdicts/{uuid.uuid4()}", request.request_id, judgement, evidence, time.time(), {})
    held = held_verdict(verdict.name, request, policy, ReasonCode.DEADLINE, elapsed_ms=1.0, pending=True)

    folder = KeyFolder(scratch / "keys")
    folder.init()
    signer, key, claims = TicketSigner(folder), Ed25519PrivateKey.generate(), os.urandom(600)
    models = {model.name: model.version for report in evidence.reports for model in report.models}
    release = Release(verdict.name, evidence.image.sha256, policy.name, policy.version, models, TicketTerms("cards"))

    token, _ = TokenStore(scratch / "tokens.json").new("cards", [Role.MODERATE])
    tokens = BearerTokens(WatchedFile(scratch / "tokens.json", TokenFile.parse))
    extras = moderation_pb2.Extras()
    return {
        "an Ed25519 signature": _cpu(lambda: key.sign(claims)),
        "a ticket": _cpu(lambda: signer.sign(release)),
        "SHA-256 of the image": _cpu(lambda: hashlib.sha256(image).digest()),
        "the request's fingerprint": _cpu(lambda: fingerprint(digested(request))),
        "coverage": _cpu(lambda: cover(evidence, request, policy.document)),
        "the judgement, coverage in it": _cpu(lambda: judge(evidence, request, policy)),
        "the verdict as bytes, coverage in it": _cpu(lambda: verdict_to_wire(verdict, extras).SerializeToString()),
        "a bearer token": _cpu(lambda: tokens.find(token)),
        "an SQLite commit of the image (wall)": _commit(scratch / "floor.db", image),
        "a HOLD in the backlog (wall)": asyncio.run(_hold(scratch / "backlog.db", request, held)),
    }


def _cpu(work: Callable[[], object]) -> float:
    spent = []
    for _ in range(ROUNDS):
        started = time.process_time_ns()
        work()
        spent.append(1e-3 * (time.process_time_ns() - started))
    return float(np.median(spent))


def _commit(path: Path, image: bytes) -> float:
    """As durable as the backlog is: a write-ahead log, synchronous=FULL."""
    spent = []
    database = sqlite3.connect(path, isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE held (image BLOB)")
        for _ in range(COMMITS):
            started = time.perf_counter_ns()
            database.execute("INSERT INTO held VALUES (?)", (image,))
            spent.append(1e-3 * (time.perf_counter_ns() - started))
    finally:
        database.close()
    return float(np.median(spent))


async def _hold(path: Path, request: ModerationRequest, held: Verdict) -> float:
    spent = []
    backlog = SqlBacklog.in_file(path, BacklogLimits())
    await backlog.open()
    try:
        for _ in range(COMMITS):
            name = f"verdicts/{uuid.uuid4()}"
            started = time.perf_counter_ns()
            await backlog.put(name, request, held)
            spent.append(1e-3 * (time.perf_counter_ns() - started))
    finally:
        await backlog.close()
    return float(np.median(spent))
