"""Verdicts on their way into the record: crashes, bounds, stores that are away, images that are sealed."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gatepost_server.domain.errors import ErrorReason
from gatepost_server.records.handover import Handover, HandoverLimits
from gatepost_server.records.images import ImageStore
from gatepost_server.records.sealing import Sealer, SealError, new_key
from gatepost_server.records.shipping import Shipping
from gatepost_server.records.sql_record import SqlRecord
from tests.unit.records.record_contract import entry, refusal


@pytest.fixture
async def handover(tmp_path):
    made = Handover(tmp_path / "handover.db", HandoverLimits(entries=3))
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def record(tmp_path):
    made = SqlRecord.in_file(tmp_path / "record.db")
    await made.open()
    yield made
    await made.close()


async def test_what_was_handed_over_outlives_a_gateway_that_was_killed(handover, tmp_path):
    await handover.put([entry()])
    again = Handover(tmp_path / "handover.db")  # the first is never closed, as after kill -9
    await again.open()
    (taken,) = await again.take(10, 1 << 20)
    assert taken.entry == entry()
    assert (await again.find("verdicts/1")) == entry()
    await again.close()


async def test_what_finds_no_room_is_refused_and_room_comes_back(handover):
    results = await asyncio.gather(*(handover.put([entry(n)]) for n in range(5)), return_exceptions=True)
    assert [result is None for result in results].count(True) == 3
    assert await refusal(handover.put([entry(9)])) is ErrorReason.RECORD_FULL
    await handover.drop(await handover.take(1, 1 << 20))
    await handover.put([entry(9)])


async def test_a_file_that_is_away_takes_nothing(handover, tmp_path):
    (tmp_path / "handover.db").rename(tmp_path / "aside.db")
    assert await refusal(handover.put([entry()])) is ErrorReason.STORE_UNAVAILABLE
    (tmp_path / "aside.db").rename(tmp_path / "handover.db")
    await handover.put([entry()])
    assert handover.depth == 1


async def test_what_arrives_is_in_the_record_and_on_its_way_no_more(handover, record):
    await handover.put([entry(1), entry(2)])
    assert await Shipping(handover, record, None).step()
    assert handover.depth == 0
    assert (await record.find("verdicts/2")).verdict.name == "verdicts/2"


async def test_an_image_lies_sealed_on_its_way_and_where_it_is_kept(tmp_path, record):
    sealer, images = Sealer.of(new_key()), ImageStore(str(tmp_path / "images"))
    handover = Handover(tmp_path / "sealed.db", seal=sealer.seal)
    await handover.open()
    await handover.put([replace(entry(), image=b"a picture of somebody")])
    await Shipping(handover, record, images).step()
    await handover.close()
    assert (await record.find("verdicts/1")).image_kept
    kept = await images.get("verdicts/1")
    assert sealer.open(kept, "verdicts/1") == b"a picture of somebody"
    for file in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert b"somebody" not in file.read_bytes(), file.name
    await images.remove("verdicts/1")
    await images.remove("verdicts/1")
    assert await images.get("verdicts/1") is None


def test_a_new_key_seals_and_the_old_one_still_opens():
    old, new = new_key(), new_key()
    sealed = Sealer.of(old).seal(b"png", "verdicts/1")
    both = Sealer.of(f"{new} {old}")
    assert both.open(sealed, "verdicts/1") == b"png"
    assert Sealer.of(new).open(both.seal(b"png", "verdicts/1"), "verdicts/1") == b"png"
    with pytest.raises(SealError, match="not among"):
        Sealer.of(new).open(sealed, "verdicts/1")


def test_an_image_that_was_changed_or_moved_does_not_open():
    sealer = Sealer.of(new_key())
    sealed = sealer.seal(b"png", "verdicts/1")
    for bad, name in ((sealed[:-1] + bytes([sealed[-1] ^ 1]), "verdicts/1"), (sealed, "verdicts/2")):
        with pytest.raises(SealError, match="changed"):
            sealer.open(bad, name)


@pytest.mark.parametrize("text", ["k", "k:AAAA", "k k:!", "a b:" + "A" * 44])
def test_a_key_that_is_none_is_refused(text):
    with pytest.raises(SealError):
        Sealer.of(text)
