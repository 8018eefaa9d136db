"""The backlog and the counts of images in a real PostgreSQL, shared by gateways: the same contract, races, a server that goes away."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from gatepost_server.domain.errors import ErrorReason, GatepostError
from gatepost_server.records.backlog import BacklogLimits
from gatepost_server.records.sql_backlog import METADATA, SqlBacklog
from gatepost_server.records.sql_usage import METADATA as USAGE_METADATA
from gatepost_server.records.sql_usage import SqlUsage
from tests.builders import request
from tests.unit.records.backlog_contract import REQUEST, BacklogContract, held

pytestmark = pytest.mark.integration
pytest.importorskip("psycopg", reason="psycopg is not installed")

LIMITS = BacklogLimits(images=3, bytes=1_000)
MANY = BacklogLimits(images=100)


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    on_path = shutil.which("pg_ctl")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@dataclass
class Postgres:
    """A server of the test's own. PostgreSQL does not run as root, so root becomes `postgres` for it."""

    programs: Path
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://gatepost@127.0.0.1:{self.port}/postgres"

    def run(self, program: str, *arguments: str) -> None:
        user = "postgres" if os.geteuid() == 0 else None
        subprocess.run(
            [self.programs / program, "-D", self.folder, *arguments],
            user=user,
            check=True,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
        )

    def start(self) -> None:
        self.run("pg_ctl", "-w", "-o", f"-p {self.port} -k '' -c fsync=off", "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-w", "-m", "immediate", "stop")


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    if os.geteuid() == 0 and "postgres" not in {entry.pw_name for entry in pwd.getpwall()}:
        pytest.skip("there is no user postgres to run PostgreSQL as")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    parent = Path("/tmp" if os.geteuid() == 0 else tmp_path_factory.mktemp("postgres")) / f"gatepost-pg-{os.getpid()}"
    parent.mkdir()
    if os.geteuid() == 0:
        shutil.chown(parent, "postgres")
    server = Postgres(programs, parent / "data", port)
    try:
        server.run("initdb", "-U", "gatepost", "-A", "trust", "-E", "UTF8")
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(parent)


async def opened(postgres: Postgres, limits: BacklogLimits, owner: str = "me") -> SqlBacklog:
    backlog = SqlBacklog(postgres.url, limits, owner=owner)
    await backlog.open()
    return backlog


@pytest.fixture
async def backlog(postgres):
    made = await opened(postgres, LIMITS)
    yield made
    await made._run(METADATA.drop_all)
    await made.close()


class TestPostgresBacklog(BacklogContract):
    async def test_gateways_that_take_at_the_same_time_never_take_the_same(self, backlog, postgres):
        gateways = [await opened(postgres, MANY, f"gateway-{number}") for number in range(4)]
        names = [f"verdicts/{number:02}" for number in range(40)]
        for name in names:
            await gateways[0].put(name, request(), held(name))
        taken: list[str] = []

        async def work(gateway: SqlBacklog) -> None:
            while len(taken) < len(names):
                if (work := await gateway.take(30.0)) is not None:
                    taken.append(work.name)

        async with asyncio.timeout(30.0):
            await asyncio.gather(*map(work, gateways))
        assert sorted(taken) == names
        for gateway in gateways:
            await gateway.close()

    async def test_a_server_that_is_away_accepts_nothing_and_loses_nothing(self, backlog, postgres):
        await backlog.put("verdicts/1", REQUEST, held())
        await asyncio.to_thread(postgres.stop)
        with pytest.raises(GatepostError) as caught:
            await backlog.put("verdicts/2", request(), held("verdicts/2"))
        assert caught.value.reason is ErrorReason.STORE_UNAVAILABLE
        await asyncio.to_thread(postgres.start)
        async with asyncio.timeout(20.0):
            while (work := await _taken(backlog)) is None:
                await asyncio.sleep(0.1)
        assert work.request == REQUEST


async def test_gateways_that_count_at_the_same_time_lose_no_image(postgres):
    stores = [SqlUsage(postgres.url) for _ in range(4)]
    for store in stores:
        await store.open()
    today = date(2026, 11, 22)
    counted = {(tenant, today): 1 for tenant in ("cards", "posters")}
    async with asyncio.timeout(60.0):
        await asyncio.gather(*(store.add(counted) for store in stores for _ in range(10)))
    assert await stores[0].day(today) == {("cards", today): 40, ("posters", today): 40}
    await stores[0]._run(USAGE_METADATA.drop_all)
    for store in stores:
        await store.close()


async def _taken(backlog: SqlBacklog):
    try:
        return await backlog.take(30.0)
    except GatepostError:
        return None
