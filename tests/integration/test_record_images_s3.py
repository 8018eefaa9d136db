"""Kept images in an object store, over a real socket."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatepost_server.domain.errors import ErrorReason
from gatepost_server.records.handover import Handover
from gatepost_server.records.images import ImageStore
from gatepost_server.records.sealing import Sealer, new_key
from gatepost_server.records.shipping import Shipping
from gatepost_server.records.sql_record import SqlRecord
from tests.s3_server import client_of, s3_server
from tests.unit.records.record_contract import entry, refusal

pytestmark = pytest.mark.integration

NAME = "verdicts/0f4e2a2c-0000-4000-8000-000000000001"


@pytest.fixture
def bucket(monkeypatch):
    with s3_server("gatepost") as (url, environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield client_of(url)


def keys(bucket) -> list[str]:
    return [each["Key"] for each in bucket.list_objects_v2(Bucket="gatepost").get("Contents", [])]


async def test_an_image_is_kept_found_and_removed_under_its_prefix(bucket):
    store = ImageStore("s3://gatepost/images")
    assert await store.get(NAME) is None
    await store.put(NAME, b"sealed")
    assert keys(bucket) == ["images/0f/0f4e2a2c-0000-4000-8000-000000000001"]
    assert await store.get(NAME) == b"sealed"
    await store.remove(NAME)
    await store.remove(NAME)
    assert (await store.get(NAME), keys(bucket)) == (None, [])


async def test_a_bucket_that_is_not_there_is_a_store_that_is_away(bucket):
    assert await refusal(ImageStore("s3://elsewhere/images").put(NAME, b"sealed")) is ErrorReason.STORE_UNAVAILABLE


async def test_verdicts_are_carried_there_sealed(bucket, tmp_path):
    sealer = Sealer.of(new_key())
    handover = Handover(tmp_path / "handover.db", seal=sealer.seal)
    record = SqlRecord.in_file(tmp_path / "record.db")
    await handover.open()
    await record.open()
    try:
        await handover.put([replace(entry(), name=NAME, image=b"a card")])
        store = ImageStore("s3://gatepost")
        assert await Shipping(handover, record, store).step()
        (key,) = keys(bucket)
        lying = bucket.get_object(Bucket="gatepost", Key=key)["Body"].read()
        assert b"a card" not in lying
        assert sealer.open(await store.get(NAME), NAME) == b"a card"
        assert (await record.find(NAME)).image_kept
    finally:
        await handover.close()
        await record.close()
