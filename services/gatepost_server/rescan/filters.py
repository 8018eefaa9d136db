"""Which of a source's images are scanned."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_AGE = re.compile(r"(\d+)([mhdw])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@dataclass(frozen=True, slots=True)
class Filters:
    """None and "" let everything pass."""

    changed_since: datetime | None = None
    sample: float | None = None  # the share to take, by a hash of seed and id: the same ones every time
    seed: int = 0
    limit: int | None = None
    where: str = ""  # SQL over the columns of a manifest

    def sampled(self, id_: str) -> bool:
        """Whether the image with this id is in the sample."""
        if self.sample is None:
            return True
        digest = hashlib.blake2b(f"{self.seed}:{id_}".encode("utf-8", "surrogateescape"), digest_size=8).digest()
        return int.from_bytes(digest) < self.sample * 2**64

    def recent(self, modified: datetime) -> bool:
        """Whether an object of this age is wanted."""
        return self.changed_since is None or modified >= self.changed_since


def moment(text: str, now: datetime) -> datetime:
    """An ISO 8601 time (UTC unless it says otherwise), or an age before `now`: 90m, 12h, 7d, 2w. Raises ValueError."""
    if age := _AGE.fullmatch(text):
        return now - int(age[1]) * _UNITS[age[2]]
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
