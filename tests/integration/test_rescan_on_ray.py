"""Whole re-scans on a real Ray of two nodes: kills at seeded moments, S3 on both sides, pauses, errors, the report."""

from __future__ import annotations

import json
import os
import random
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest
import ray
from ray.cluster_utils import Cluster

from benchmarks.rescan.scenes import FakeStages
from gatepost_server.cli.rescan import PAUSED
from gatepost_server.gateway.credentials.token_file import TokenStore
from gatepost_server.rescan.failures import PausedError, RescanError, TooManyErrorsError
from gatepost_server.rescan.filters import Filters
from gatepost_server.rescan.gateways import Gateways, Way
from gatepost_server.rescan.job import Asked, Destination
from gatepost_server.rescan.progress import Silent
from gatepost_server.rescan.reading import Reading
from gatepost_server.rescan.report.write import write_report
from gatepost_server.rescan.run import Order, rescan
from gatepost_server.rescan.sink import read_shard
from gatepost_server.rescan.stores import choose
from gatepost_server.rescan.stores.base import address
from tests.rescan_parts import Driver, GatewayProcess, Scene, check_rows, make_images, until
from tests.s3_server import client_of, s3_server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1_800), pytest.mark.filterwarnings("default")]

SEED = 20_261_122
IMAGES = 5_000


@pytest.fixture(scope="module")
def s3(monkeypatch_module):
    """A bucket; the environment points to it before Ray starts, so that workers inherit it."""
    with s3_server("cards", "results") as (url, environment):
        for name, value in environment.items():
            monkeypatch_module.setenv(name, value)
        choose._store.cache_clear()
        yield client_of(url)
        choose._store.cache_clear()


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def cluster(s3):
    """Two Ray nodes on this machine, each with one CPU; gives the address to join."""
    nodes = two_nodes()
    ray.init(address=nodes.address, namespace="gatepost", log_to_driver=False, logging_level="ERROR")
    yield nodes.address
    ray.shutdown()
    nodes.shutdown()


def two_nodes() -> Cluster:
    """Started again where a busy machine takes longer than the half minute that Ray gives a node."""
    node = {"num_cpus": 1, "object_store_memory": 100 << 20, "include_log_monitor": False}
    for left in (3, 2, 1, 0):
        nodes = Cluster()
        try:
            nodes.add_node(**node, include_dashboard=False)
            nodes.add_node(**node)
        except Exception as error:
            nodes.shutdown()
            if not left or "timed out during startup" not in str(error):
                raise
        else:
            return nodes
    raise AssertionError("the last try raises")


@pytest.fixture(scope="module")
def gateway():
    process = GatewayProcess()
    process.start()
    yield process
    process.kill()


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Scene:
    return make_images(tmp_path_factory.mktemp("rescan") / "images", SEED, IMAGES)


def order_of(source: str, out: str, gateway: GatewayProcess, *, patience_s: float = 60.0, **changed) -> Order:
    place = address(source)
    way = Way([gateway.address], in_flight=16, answer_s=30.0, patience_s=patience_s)
    order = Order(place, address(out), Asked(str(place)), Filters(), partial(Gateways, way), shard_size=100)
    return replace(order, **changed)


def rows_in(out: str, columns: list[str] | None = None) -> list[dict]:
    destination = Destination(address(out))
    return [row for shard in destination.done() for row in read_shard(destination, shard, columns).to_pylist()]


COLUMNS = ["number", "uri", "sha256", "decision", "error", "duplicate_of"]


def shards_done(out: Path) -> int:
    return len(list(out.glob("_gatepost/manifest/*.json")))


def judging_workers() -> list[psutil.Process]:
    """The processes of Ray on this machine that judge."""
    return [each for each in psutil.process_iter() if "MapBatches(_Judging)" in " ".join(_command(each))]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_every_image_has_one_row_whoever_is_killed(tmp_path, cluster, gateway, scene):
    """The driver, a worker and the gateway, each at a moment that the seed says."""
    dice = random.Random(SEED)
    out = tmp_path / "out"
    arguments = (str(scene.folder), "--out", str(out), "--gateway", gateway.address, "--ray-address", cluster)
    arguments += ("--shard-size", "100", "--in-flight", "16", "--no-report")
    driver = Driver(tmp_path / "first.log", *arguments)
    kill_at = dice.randrange(3, 12)
    until(lambda: shards_done(out) >= kill_at or not driver.is_running, within_s=600.0, otherwise=driver.said)
    assert driver.is_running, driver.said()
    with pytest.raises(PausedError, match="another driver is at work"):
        rescan(order_of(str(scene.folder), str(out), gateway), Silent())
    driver.kill()
    after_kill = shards_done(out)
    assert after_kill < IMAGES // 100

    driver = Driver(tmp_path / "second.log", *arguments)
    worker_at, gateway_at = after_kill + dice.randrange(2, 6), after_kill + dice.randrange(8, 14)
    until(lambda: shards_done(out) >= worker_at or not driver.is_running, within_s=600.0, otherwise=driver.said)
    killed = judging_workers()
    assert killed, "nobody judges"
    for worker in killed:
        os.kill(worker.pid, signal.SIGKILL)
    until(lambda: shards_done(out) >= gateway_at or not driver.is_running, within_s=600.0, otherwise=driver.said)
    gateway.kill()
    assert driver.is_running, driver.said()
    gateway.start()
    assert driver.wait(900.0) == 0, driver.said()

    check_rows(rows_in(str(out), COLUMNS), scene)
    summary = json.loads((out / "summary.json").read_text())
    assert summary["rows"] == IMAGES
    assert summary["rows_before"] == after_kill * 100
    everything = pq.read_table(out / "shards")
    assert everything.num_rows == IMAGES
    assert not list(out.rglob(".draft-*.parquet"))


def test_s3_to_s3_on_two_nodes(cluster, gateway, s3, tmp_path):
    scene = make_images(tmp_path / "images", SEED + 1, 300)
    for name in scene.expected:
        s3.put_object(Bucket="cards", Key=f"all/{name}", Body=(scene.folder / name).read_bytes())
    order = order_of("s3://cards/all/", "s3://results/job", gateway)
    order = replace(order, workers=replace(order.workers, judges=4, judge_cpus=0.4, reading=Reading(threads=4)))
    nodes: set[int] = set()

    class SeesNodes(Silent):
        def judged(self, rows, decisions, errors) -> None:
            nodes.update(each.ppid() for each in judging_workers())  # a node's raylet

    assert rescan(order, SeesNodes()).rows == 300
    assert len(nodes) == 2
    check_rows(rows_in("s3://results/job", COLUMNS), scene)
    again = rescan(order, Silent())
    assert (again.rows, again.rows_before) == (300, 300)


def test_a_job_pauses_without_a_gateway_and_the_same_command_goes_on(cluster, tmp_path):
    scene = make_images(tmp_path / "images", SEED + 2, 250)
    gateway = GatewayProcess()
    gateway.start()
    try:
        order = order_of(str(scene.folder), str(tmp_path / "out"), gateway, patience_s=2.0, shard_size=20)

        class KillsGateway(Silent):
            def written(self, done) -> None:
                gateway.kill()

        with pytest.raises(PausedError, match="no gateway has answered"):
            rescan(order, KillsGateway())
        assert 0 < shards_done(tmp_path / "out") < 13
        gateway.start()
        assert rescan(order, Silent()).rows == 250
        check_rows(rows_in(str(tmp_path / "out"), COLUMNS), scene)
    finally:
        gateway.kill()
    assert PAUSED == os.EX_TEMPFAIL


def test_a_job_pauses_when_its_token_is_revoked_and_goes_on_with_a_new_one(cluster, tmp_path):
    scene = make_images(tmp_path / "images", SEED + 4, 800)
    store, token_file = TokenStore(tmp_path / "credentials.json"), tmp_path / "token"

    def renewed() -> str:
        token, entry = store.new("cards", ["moderate"])
        token_file.write_text(token)
        return entry.id

    first = renewed()
    gateway = GatewayProcess(credentials=str(tmp_path / "credentials.json"))
    gateway.start()
    try:
        way = Way([gateway.address], in_flight=16, answer_s=30.0, patience_s=60.0, token_file=token_file)
        judge = partial(Gateways, way)
        order = order_of(str(scene.folder), str(tmp_path / "out"), gateway, make_judge=judge, shard_size=20)

        class Revokes(Silent):
            def written(self, done) -> None:
                store.revoke(first)

        with pytest.raises(PausedError, match="credentials"):
            rescan(order, Revokes())
        assert 0 < shards_done(tmp_path / "out") < 40
        renewed()
        assert rescan(order, Silent()).rows == 800
        check_rows(rows_in(str(tmp_path / "out"), COLUMNS), scene)
    finally:
        gateway.kill()


def test_too_many_errors_stop_the_job_with_the_reason(cluster, gateway, tmp_path):
    manifest = tmp_path / "m.jsonl"
    manifest.write_text("".join(json.dumps({"uri": f"missing-{n}.png"}) + "\n" for n in range(300)))
    order = order_of(str(manifest), str(tmp_path / "out"), gateway, max_error_rate=0.1)
    with pytest.raises(TooManyErrorsError, match="SOURCE_MISSING"):
        rescan(order, Silent())


def test_two_workers_with_stages_of_their_own_share_a_job_and_the_report_holds_what_they_found(
    cluster, gateway, tmp_path
):
    scene = make_images(tmp_path / "images", SEED + 3, 120)
    out = tmp_path / "out"
    order = order_of(str(scene.folder), str(out), gateway, make_judge=FakeStages())
    order = replace(order, workers=replace(order.workers, judges=2, judge_cpus=0.6, batch=16))
    summary = rescan(order, Silent())
    check_rows(rows_in(str(out), COLUMNS), scene)
    with pytest.raises(RescanError, match="another job"):
        rescan(replace(order, asked=Asked("elsewhere")), Silent())
    with pytest.raises(RescanError, match="holds a job already"):
        rescan(replace(order, resume=False), Silent())
    write_report(address(str(out)), summary)
    page = (out / "report.html").read_text()
    assert "IMAGE_CORRUPT" in page
    assert f"{summary.decisions['BLOCK']:,}" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
