"""One image of the results, drawn with what was found in it, small enough for a page of many."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image, ImageFilter

from gatepost_client import verdict as told
from gatepost_client.annotate import annotate
from gatepost_server.domain.evidence import Evidence
from gatepost_server.records.codec import evidence_from_json

_SIDE = 420  # pixels
_QUALITY = 72
_BLUR = 14  # pixels: nothing can be read or made out


def thumbnail(image: bytes, row: dict[str, Any], *, revealed: bool) -> str | None:
    """A data: address of a JPEG; None where the image cannot be drawn. What is blurred is blurred in the pixels."""
    if not row["evidence"]:
        return None
    sheet = annotate(image, _verdict(row, evidence_from_json(row["evidence"])))
    if not isinstance(sheet, bytes):
        return None
    with Image.open(io.BytesIO(sheet)) as drawn:
        small = drawn.convert("RGB")
    small.thumbnail((_SIDE, _SIDE))
    if not revealed:
        small = small.filter(ImageFilter.GaussianBlur(_BLUR))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def _verdict(row: dict[str, Any], evidence: Evidence) -> told.Verdict:
    """As far as it is drawn."""
    views = [told.View(view.frame, told.Background(view.background.value)) for view in evidence.image.views]
    return told.Verdict(
        decision=told.Decision(row["decision"]),
        reasons=tuple(_reason(reason) for reason in row["reasons"] or ()),
        scores={told.Category(category.value): fused.score for category, fused in evidence.fused.items()},
        lines=tuple(
            told.TextLine(
                polygon=line.polygon,
                text=line.text,
                confidence=line.confidence,
                scores={told.Category(category.value): score for category, score in line.scores.items()},
                view=views[line.view],
            )
            for line in evidence.lines
        ),
        image_findings=tuple(
            told.ImageFinding(told.Category(category.value), finding.score, finding.region)
            for category, finding in evidence.image_findings.items()
        ),
        policy=told.Versioned(row["policy"]["name"], row["policy"]["version"]),
    )


def _reason(fields: dict[str, Any]) -> told.Reason:
    return told.Reason(
        code=told.ReasonCode(fields["code"]),
        decision=told.Decision(fields["decision"]),
        category=None if fields["category"] is None else told.Category(fields["category"]),
        score=fields["score"],
        threshold=fields["threshold"],
        source=fields["source"],
        detail=fields["detail"],
    )
