"""Draws a verdict on its image: boxes round what was read and found, the text, the scores, the decision."""

from __future__ import annotations

import io

from gatepost.v1 import verdict_pb2
from gatepost_client._convert import verdict_from_proto
from gatepost_client.annotate.picture import load_view
from gatepost_client.annotate.sheet import draw_sheet
from gatepost_client.errors import InvalidRequest
from gatepost_client.verdict import Verdict, View

__all__ = ["annotate"]


def annotate(image: bytes, verdict: Verdict | verdict_pb2.Verdict) -> bytes | InvalidRequest:
    """The image as PNG under a band with the decision and its reasons; ask for evidence to have anything to draw.

    image: the encoded file that the verdict is about. Of an animation, the frame is drawn that holds the line of the
    gravest reason, else the first line. Sides are at most 2,048 pixels, and small images are enlarged.
    Returns InvalidRequest, and raises nothing, for an image that cannot be decoded.
    """
    if isinstance(verdict, verdict_pb2.Verdict):
        verdict = verdict_from_proto(verdict)
    view = telling_view(verdict)
    picture = load_view(image, view)
    if isinstance(picture, InvalidRequest):
        return picture
    buffer = io.BytesIO()
    draw_sheet(picture, verdict, view).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def telling_view(verdict: Verdict) -> View:
    """The view that shows why: of the gravest reason's line, else of the first line, else the first view."""
    for reason in verdict.reasons:
        index = reason.source.removeprefix("line:")
        if index != reason.source and index.isdigit() and int(index) < len(verdict.lines):
            return verdict.lines[int(index)].view
    if verdict.lines:
        return verdict.lines[0].view
    return verdict.image.views[0] if verdict.image and verdict.image.views else View()
