"""A whole re-scan against a real gatepost whose model server is killed meanwhile: every card has its verdict."""

from __future__ import annotations

from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest

from benchmarks.stack import Stack
from gatepost_server.domain.labels import Decision
from tests.rescan_parts import Driver, until

CARDS = ("new_year", "new_year_replaced", "curved_insult", "grandma", "couplets_cursed", "fish")


def tritonserver(stack: Stack) -> psutil.Process:
    (found,) = [each for each in stack.process.children(recursive=True) if each.name() == "tritonserver"]
    return found


@pytest.mark.timeout(900)
def test_every_card_has_its_verdict_though_triton_is_killed(stack: Stack, card: dict[str, bytes], tmp_path: Path):
    source, out = tmp_path / "cards", tmp_path / "out"
    source.mkdir()
    for name in CARDS:
        (source / f"{name}.jpg").write_bytes(card[name])
    arguments = ("--gateway", stack.address, "--shard-size", "1", "--in-flight", "2", "--memory", "100", "--no-report")
    driver = Driver(tmp_path / "log", str(source), "--out", str(out), *arguments)
    try:
        until(
            lambda: any(out.glob("_gatepost/manifest/*.json")) or not driver.is_running,
            within_s=300.0,
            otherwise=driver.said,
        )
        assert driver.is_running, driver.said()
        tritonserver(stack).kill()
        assert driver.wait(500.0) == 0, driver.said()
    finally:
        if driver.is_running:
            driver.kill()
    rows = {Path(row["uri"]).stem: row for row in pq.read_table(out / "shards").to_pylist()}
    assert sorted(rows) == sorted(CARDS)
    assert all(row["error"] is None and row["evidence"] and any(row["embedding"]) for row in rows.values()), rows
    assert rows["new_year_replaced"]["decision"] in (Decision.BLOCK, Decision.REVIEW)
