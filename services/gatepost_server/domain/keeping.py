"""Whose images are kept."""

from __future__ import annotations

from enum import StrEnum

from gatepost_server.domain.labels import Decision


class KeepImages(StrEnum):
    """Whose images are kept beside their verdicts."""

    NONE = "none"
    REFUSED = "refused"  # REVIEW and BLOCK
    ALL = "all"

    def keeps(self, decision: Decision) -> bool:
        """Whether the image of such a verdict is kept. HOLD is not: nobody could look at it."""
        if self is KeepImages.REFUSED:
            return decision in (Decision.REVIEW, Decision.BLOCK)
        return self is KeepImages.ALL
