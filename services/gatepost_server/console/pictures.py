"""The kept images of verdicts, opened for whoever may see them."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from gatepost_server.records.images import ImageStore
from gatepost_server.records.sealing import Sealer, SealError

# What browsers show, by Pillow's name. Anything else is not sent as something that it is not.
TYPES: Mapping[str, str] = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "AVIF": "image/avif",
    "BMP": "image/bmp",
}

_log = structlog.get_logger("gatepost.console")


class Pictures:
    """Reads and unseals. Raises GatepostError (STORE_UNAVAILABLE) where the store is away."""

    def __init__(self, store: ImageStore | None, sealer: Sealer) -> None:
        self._store = store
        self._sealer = sealer

    async def of(self, verdict: str) -> bytes | None:
        """The image as it was sent; None where it was not kept, or no key opens it."""
        sealed = await self._store.get(verdict) if self._store is not None else None
        if sealed is None:
            return None
        try:
            return self._sealer.open(sealed, verdict)
        except SealError as error:
            _log.error("image_not_opened", verdict=verdict, why=str(error))
            return None
