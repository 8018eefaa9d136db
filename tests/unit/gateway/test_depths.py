"""What waits is told as it is, and a store that is away is counted and not taken for an empty one."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from prometheus_client import CollectorRegistry

from gatepost_server.domain.review import QueueKind
from gatepost_server.gateway.admission import Admission, AdmissionLimits
from gatepost_server.gateway.depths import Depths
from gatepost_server.gateway.settings import GatewaySettings
from gatepost_server.moderate.nearline import Nearline
from gatepost_server.moderate.recorder import KeepImages, Recorder
from gatepost_server.records.backlog import BacklogLimits, store_unavailable
from gatepost_server.records.handover import Handover
from gatepost_server.records.sql_backlog import SqlBacklog
from gatepost_server.records.sql_record import SqlRecord
from tests.builders import request
from tests.unit.records.backlog_contract import allowed, held
from tests.unit.records.record_contract import entry

EVERY_S = 0.02


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
async def record(tmp_path):
    opened = SqlRecord.in_file(tmp_path / "record.db")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def handover(tmp_path):
    opened = Handover(tmp_path / "handover.db")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def backlog(tmp_path):
    opened = SqlBacklog.in_file(tmp_path / "backlog.db", BacklogLimits(), owner="test")
    await opened.open()
    yield opened
    await opened.close()


@contextlib.asynccontextmanager
async def looking(depths: Depths, nearline: Nearline | None, recorder: Recorder | None):
    running = asyncio.create_task(depths.run(nearline, recorder, every_s=EVERY_S))
    try:
        yield
    finally:
        running.cancel()


async def becomes(registry: CollectorRegistry, name: str, value: float, **labels: str) -> None:
    """Waits for it; the test's own time-out says that it never does."""
    while registry.get_sample_value(name, labels) != value:
        await asyncio.sleep(EVERY_S)


async def test_images_inside_and_waiting_are_told_as_they_are(registry):
    depths, waits = Depths(registry), []
    admission = Admission(AdmissionLimits(images=2, bulk_images=1), waited=waits.append)
    depths.follow(GatewaySettings(max_images_in_flight=2, max_stream_images_in_flight=1), admission, None)
    with await admission.wait(70):
        second = asyncio.create_task(admission.wait(30))
        await asyncio.sleep(0)
        assert registry.get_sample_value("gatepost_in_flight_images") == 1
        assert registry.get_sample_value("gatepost_in_flight_bytes") == 70
        assert registry.get_sample_value("gatepost_admission_waiting_images") == 1
    with await second:
        assert registry.get_sample_value("gatepost_in_flight_bytes") == 30
    assert registry.get_sample_value("gatepost_in_flight_images") == 0
    assert registry.get_sample_value("gatepost_in_flight_limit_images") == 2
    assert len(waits) == 2
    assert waits[0] <= waits[1]


async def test_held_images_verdicts_on_their_way_and_what_waits_for_people_are_told(
    registry, record, handover, backlog, tmp_path
):
    depths, recorder = Depths(registry), Recorder(handover, record, keep=KeepImages.NONE, due_s=60.0)
    settings = GatewaySettings(backlog=str(tmp_path / "b.db"), record=str(tmp_path / "r.db"), backlog_images=7)
    depths.follow(settings, Admission(AdmissionLimits()), recorder)
    await backlog.put("verdicts/1", request(), held())
    await record.add([entry(1), entry(2)])  # created in 1970: long overdue
    await recorder.write(request(), allowed("verdicts/3"))
    async with looking(depths, Nearline(backlog), recorder):
        await becomes(registry, "gatepost_nearline_images", 1)
        await becomes(registry, "gatepost_review_queue_items", 2, kind="REVIEW")
        assert registry.get_sample_value("gatepost_review_queue_overdue_items", {"kind": "REVIEW"}) == 2
        assert registry.get_sample_value("gatepost_review_queue_oldest_seconds", {"kind": "REVIEW"}) > 1e9
        assert registry.get_sample_value("gatepost_review_queue_items", {"kind": QueueKind.APPEAL.value}) == 0
        assert registry.get_sample_value("gatepost_record_handover_verdicts") == 1
        assert registry.get_sample_value("gatepost_nearline_limit_images") == 7
        await backlog.finish("verdicts/1", allowed())
        await becomes(registry, "gatepost_nearline_images", 0)


async def test_a_store_that_is_away_is_counted_and_its_last_figure_stands(registry, backlog, monkeypatch):
    depths = Depths(registry)
    await backlog.put("verdicts/1", request(), held())
    async with looking(depths, Nearline(backlog), None):
        await becomes(registry, "gatepost_nearline_images", 1)

        async def away():
            raise store_unavailable()

        monkeypatch.setattr(backlog, "depth", away)
        await becomes(registry, "gatepost_store_look_failures_total", 3, store="backlog")
        assert registry.get_sample_value("gatepost_nearline_images") == 1
        monkeypatch.undo()
        await backlog.finish("verdicts/1", allowed())
        await becomes(registry, "gatepost_nearline_images", 0)
    assert registry.get_sample_value("gatepost_store_look_failures_total", {"store": "record"}) == 0
