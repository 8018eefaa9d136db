"""The record, kept while the gateway runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from gatepost_server.domain.errors import GatepostError
from gatepost_server.domain.keeping import KeepImages
from gatepost_server.gateway.settings import GatewaySettings
from gatepost_server.moderate.people import People
from gatepost_server.moderate.recorder import Recorder
from gatepost_server.moderate.review import Review
from gatepost_server.policy.book import PolicyBook
from gatepost_server.records.database import DatabaseUrlError
from gatepost_server.records.handover import Handover, HandoverLimits
from gatepost_server.records.images import ImageStore
from gatepost_server.records.sealing import Sealer, SealError
from gatepost_server.records.shipping import Shipping
from gatepost_server.records.sql_record import SqlRecord
from gatepost_server.tickets.sign import TicketSigner

_FILE = "handover.db"  # beside the record's file

_log = structlog.get_logger("gatepost.record")


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """The ways into the record and out of it."""

    recorder: Recorder
    people: People


@contextlib.asynccontextmanager
async def kept_record(
    settings: GatewaySettings, policies: PolicyBook, signer: TicketSigner | None
) -> AsyncIterator[KeptRecord | None]:
    """Carries verdicts into the record, and follows what people do, while the block runs; None where there is no
    record. Raises OSError.
    """
    if settings.record is None:
        yield None
        return
    place = settings.record.get_secret_value()
    try:
        sealer = Sealer.of("" if settings.image_keys is None else settings.image_keys.get_secret_value())
        record = SqlRecord(place) if "://" in place else SqlRecord.in_file(Path(place))
        # Without a key there is nothing to keep images with.
        images = ImageStore(settings.record_images) if settings.record_images and sealer.seals else None
    except (DatabaseUrlError, SealError, ValueError) as error:
        raise OSError(f"the record cannot be used: {error}") from None
    file = settings.record_handover or Path(place).with_name(_FILE)
    limits = HandoverLimits(settings.record_handover_entries, settings.record_handover_bytes)
    handover = Handover(file, limits, seal=sealer.seal)
    if images is None and settings.record_keep_images is not KeepImages.NONE:
        _log.warning("images_not_kept", why="no image_keys, or no record_images")
    recorder = Recorder(
        handover,
        record,
        keep=settings.record_keep_images,
        due_s=settings.review_due_s,
        policies=policies,
        seals=images is not None,
    )
    async with contextlib.AsyncExitStack() as opened:
        try:
            opened.push_async_callback(record.close)
            await record.open()
            await handover.open()
            opened.push_async_callback(handover.close)
        except GatepostError as error:
            raise OSError(f"the record cannot be used: {error.__cause__ or error.message}") from error
        review = Review(record, policies, signer=signer, appeal_due_s=settings.appeal_due_s)
        people = People(record, review, every_s=settings.review_poll_s)
        for work in (Shipping(handover, record, images).run(), people.run()):
            opened.push_async_callback(_ended, asyncio.create_task(work))
        yield KeptRecord(recorder, people)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
