"""What a running gateway writes down: before it answers, and as nobody can lose it."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import time
from pathlib import Path

import grpc
import pytest

from gatepost.v1 import moderation_pb2 as wire
from gatepost.v1 import moderation_pb2_grpc
from gatepost_server.records.entry import unpacked
from gatepost_server.records.sealing import new_key
from tests.gateways import refused, running_gateway, script
from tests.integration.test_gateway_process import Process


async def test_a_verdict_outlives_the_gateway_that_gave_it(tmp_path):
    record = str(tmp_path / "record.db")
    async with running_gateway(record=record) as gateway:
        given = (await gateway.moderation.Moderate(wire.ModerateRequest(image=script(scores={"insult": 0.99})))).verdict
    async with running_gateway(record=record) as gateway:
        found = (await gateway.moderation.GetVerdict(wire.GetVerdictRequest(name=given.name))).verdict
    assert (found.decision, found.request_id) == (given.decision, given.request_id)


async def test_a_verdict_is_on_the_disk_before_it_is_given(tmp_path):
    async with running_gateway(record=str(tmp_path / "record.db")) as gateway:
        given = (await gateway.moderation.Moderate(wire.ModerateRequest(image=script()))).verdict
        on_disk = set()  # read as another process would after kill -9
        for file, table in (("handover.db", "handover"), ("record.db", "decisions")):
            with sqlite3.connect(tmp_path / file) as connection:
                on_disk |= {name for (name,) in connection.execute(f"SELECT name FROM {table}")}
        assert given.name in on_disk


async def test_what_cannot_be_written_down_is_no_verdict(tmp_path):
    async with running_gateway(record=str(tmp_path / "record.db")) as gateway:
        (tmp_path / "handover.db").rename(tmp_path / "aside.db")
        refusal = await refused(gateway.moderation.Moderate(wire.ModerateRequest(image=script())))
        assert (refusal.code, refusal.info.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")


async def test_where_a_backlog_is_kept_what_cannot_be_written_down_is_held(tmp_path):
    async with running_gateway(record=str(tmp_path / "record.db"), backlog=str(tmp_path / "backlog.db")) as gateway:
        (tmp_path / "handover.db").rename(tmp_path / "aside.db")
        held = (await gateway.moderation.Moderate(wire.ModerateRequest(image=script()))).verdict
        assert (held.decision, held.pending) == (4, True)
        (tmp_path / "aside.db").rename(tmp_path / "handover.db")
        watch = gateway.moderation.WatchVerdict(wire.WatchVerdictRequest(name=held.name), timeout=60.0)
        assert [answer.verdict.pending async for answer in watch][-1] is False


@pytest.mark.parametrize("wanted", [False, True])
async def test_the_record_knows_what_an_image_is_like_and_a_caller_hears_it_when_asked_for(tmp_path, wanted):
    asked = wire.ModerateRequest(image=script(scores={"insult": 0.99}))
    asked.extras.embedding = wanted
    async with running_gateway(record=str(tmp_path / "record.db")) as gateway:
        given = (await gateway.moderation.Moderate(asked)).verdict
        for _ in range(2_000):  # until it was carried from the hand-over
            kept = await embeddings(tmp_path / "record.db")
            if kept:
                break
            await asyncio.sleep(0.01)
    assert [round(number, 3) for number in unpacked(kept[0])] == [0.6, 0.8]
    assert bool(given.embedding) is wanted


async def embeddings(record: Path) -> list[bytes]:
    def read() -> list[bytes]:
        with sqlite3.connect(record) as connection:
            return [kept for (kept,) in connection.execute("SELECT embedding FROM decisions")]

    return await asyncio.to_thread(read)


@pytest.mark.parametrize(("keys", "images"), [(None, 0), (new_key(), 1)])
async def test_images_of_refused_cards_are_kept_where_there_is_a_key(tmp_path, keys, images):
    kept = {"record": str(tmp_path / "record.db"), "record_images": str(tmp_path / "images"), "image_keys": keys}
    async with running_gateway(**kept) as gateway:
        for scores in ({"insult": 0.99}, {}):
            await gateway.moderation.Moderate(wire.ModerateRequest(image=script(scores=scores)))
        async with asyncio.timeout(30.0):
            while len(_rows(tmp_path)) < 2:
                await asyncio.sleep(0.02)
    assert sum(_rows(tmp_path)) == images
    assert len([file for file in (tmp_path / "images").rglob("*") if file.is_file()]) == images


def _rows(folder: Path) -> list[bool]:
    """Of each verdict in the record, whether its image is kept."""
    with sqlite3.connect(folder / "record.db") as connection:
        return [bool(kept) for (kept,) in connection.execute("SELECT image_kept FROM decisions")]


async def test_the_subject_is_written_down_and_one_that_could_be_a_sentence_is_refused(tmp_path):
    async with running_gateway(record=str(tmp_path / "record.db")) as gateway:
        await gateway.moderation.Moderate(wire.ModerateRequest(image=script(), subject="user-4711"))
        refusal = await refused(gateway.moderation.Moderate(wire.ModerateRequest(image=script(), subject="Ann Lee")))
        assert refusal.fields == ["subject"]
        async with asyncio.timeout(30.0):
            while not _rows(tmp_path):
                await asyncio.sleep(0.02)
    with sqlite3.connect(tmp_path / "record.db") as connection:
        assert connection.execute("SELECT subject FROM decisions").fetchall() == [("user-4711",)]


@pytest.mark.integration
def test_what_was_given_reaches_the_record_although_the_gateway_was_killed_on_the_way(tmp_path):
    environment = {
        "GATEPOST_GATEWAY_RECORD": str(tmp_path / "record.db"),
        "GATEPOST_GATEWAY_RECORD_IMAGES": str(tmp_path / "images"),
        "GATEPOST_GATEWAY_IMAGE_KEYS": new_key(),
    }
    first, second = Process(**environment), None
    try:
        with grpc.insecure_channel(first.address()) as channel:
            with sqlite3.connect(tmp_path / "record.db", isolation_level=None) as writer:
                writer.execute("BEGIN IMMEDIATE")  # nothing gets from the hand-over into the record
                stub = moderation_pb2_grpc.ModerationServiceStub(channel)
                request = wire.ModerateRequest(image=script(scores={"insult": 0.6}))
                names = {stub.Moderate(request, timeout=60.0).verdict.name for _ in range(3)}
                first.send(signal.SIGKILL)
                first.wait()
                assert writer.execute("SELECT count(*) FROM decisions").fetchone() == (0,)
                writer.execute("ROLLBACK")
            writer.close()
        second = Process(**environment)
        with grpc.insecure_channel(second.address()) as channel:
            stub = moderation_pb2_grpc.ModerationServiceStub(channel)
            deadline = time.monotonic() + 60.0
            while len(_rows(tmp_path)) < 3 and time.monotonic() < deadline:
                time.sleep(0.05)
            found = {stub.GetVerdict(wire.GetVerdictRequest(name=name), timeout=60.0).verdict.name for name in names}
            assert found == names
        assert _rows(tmp_path) == [True] * 3
        assert len([file for file in (tmp_path / "images").rglob("*") if file.is_file()]) == 3
    finally:
        first.close()
        if second is not None:
            second.close()
