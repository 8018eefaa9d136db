"""The annotated sheet: a band with the decision, and below it the picture with its marks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, ImageDraw

from gatepost_client.annotate.picture import Picture
from gatepost_client.annotate.placement import Box, Point, bounds, place
from gatepost_client.annotate.style import (
    BAND,
    BLACK,
    CATEGORIES,
    DECISIONS,
    NEUTRAL,
    WHITE,
    Colour,
    font,
    ink_on,
    shortened,
)
from gatepost_client.asked import AskedSpan, SpanKind
from gatepost_client.verdict import Category, ImageFinding, Reason, TextLine, Verdict, View

_NARROWEST = 360  # pixels: the band needs room for its letters
_SHOWN_SCORE = 0.25  # half of what the shipped policies look at twice; less would mark kind lines as suspects
_FEW_MARKS = 12  # more have smaller labels
_SHOWN_FINDING = 0.5  # below it a finding has no box, unless it is a reason


@dataclass(frozen=True, slots=True)
class _Mark:
    """An outline with a label, in pixels of the sheet."""

    outline: tuple[Point, ...]
    label: str
    colour: Colour


def draw_sheet(picture: Picture, verdict: Verdict, view: View) -> Image.Image:
    """The picture with its band and marks; lines of other frames are left out."""
    letters = max(15, min(28, picture.pixels.width // 36))
    margin = letters // 2
    band = 2 * margin + round(2.9 * letters)
    width = max(_NARROWEST, picture.pixels.width)
    sheet = Image.new("RGB", (width, band + max(picture.pixels.height, 2 * letters)), BAND)
    sheet.paste(picture.pixels, (0, band))
    draw = ImageDraw.Draw(sheet)
    _draw_band(draw, verdict, letters, width)
    within = (0.0, float(band), float(sheet.width), float(sheet.height))
    # The suspicious ones first: they get the best places.
    marks = sorted(_marks(verdict, view, picture.scale, within), key=lambda mark: mark.colour == NEUTRAL)
    _draw_marks(draw, marks, letters, within)
    for outline in _not_asked_for(verdict, view):
        _draw_bar(draw, _on_sheet(outline, picture.scale, within), letters)
    return sheet


def _draw_band(draw: ImageDraw.ImageDraw, verdict: Verdict, letters: int, width: int) -> None:
    margin, colour = letters // 2, DECISIONS[verdict.decision]
    badge = font(round(1.2 * letters)).getlength(verdict.decision.value) + 2 * margin
    row = margin + round(1.5 * letters)
    draw.rounded_rectangle((margin, margin, margin + badge, row), radius=letters // 4, fill=colour)
    middle = (margin + row) / 2
    draw.text(
        (margin + badge / 2, middle), verdict.decision.value, ink_on(colour), font(round(1.2 * letters)), anchor="mm"
    )
    policy = f"{verdict.policy.name} · {verdict.policy.version[:8]}" if verdict.policy else ""
    place_left = margin + badge + letters
    draw.text(
        (place_left, middle),
        shortened(policy, letters, width - place_left - margin),
        (170, 176, 186),
        font(letters),
        anchor="lm",
    )
    why = " · ".join(map(_reason, verdict.reasons)) or _highest(verdict)
    draw.text(
        (margin, row + round(0.9 * letters)),
        shortened(why, letters, width - 2 * margin),
        WHITE,
        font(letters),
        anchor="lm",
    )


def _reason(reason: Reason) -> str:
    if reason.score is not None and reason.category:
        return f"{reason.category.value} {reason.score:.2f} ≥ {reason.threshold or 0:.2f} ({reason.source})"
    parts = [reason.code.value.lower(), reason.category.value if reason.category else "", reason.detail]
    return " ".join(part for part in parts if part)


def _highest(verdict: Verdict) -> str:
    scores = sorted(verdict.scores.items(), key=lambda entry: -entry[1])[:3]
    return "highest: " + ", ".join(f"{category.value} {score:.2f}" for category, score in scores) if scores else ""


def _marks(verdict: Verdict, view: View, scale: float, within: Box) -> Iterator[_Mark]:
    reasons = {reason.source: reason for reason in reversed(verdict.reasons)}  # the gravest of each source last
    unasked = {line for span in _unexpected(verdict) for line in span.lines}
    guilty = {reason.category for reason in verdict.reasons if "image" in reason.source}

    for finding in verdict.image_findings:
        if finding.score >= _SHOWN_FINDING or finding.category in guilty:
            x0, y0, x1, y1 = finding.region
            outline = _on_sheet(((x0, y0), (x1, y0), (x1, y1), (x0, y1)), scale, within)
            if len(outline) == 4:
                yield _Mark(outline, _finding_label(finding), CATEGORIES[finding.category])
    for index, line in enumerate(verdict.lines):
        outline = _on_sheet(line.polygon, scale, within)
        if line.view.frame == view.frame and len(outline) > 2:
            label = _line_label(line, asked_for=index not in unasked)
            yield _Mark(outline, label, _line_colour(line, reasons.get(f"line:{index}")))


def _on_sheet(points: tuple[Point, ...], scale: float, within: Box) -> tuple[Point, ...]:
    """Corners on the sheet; wild coordinates of a strange server end at its edge."""
    return tuple(
        (
            min(max(x * scale, within[0]), within[2] - 1),
            min(max(y * scale + within[1], within[1]), within[3] - 1),
        )
        for x, y in points
        if math.isfinite(x) and math.isfinite(y)
    )


def _unexpected(verdict: Verdict) -> Iterator[AskedSpan]:
    return verdict.asked_text.of(SpanKind.UNEXPECTED) if verdict.asked_text else iter(())


def _not_asked_for(verdict: Verdict, view: View) -> Iterator[tuple[Point, ...]]:
    """Where text stands in this frame that nobody asked for."""
    for span in _unexpected(verdict):
        for polygon, line in zip(span.polygons, span.lines, strict=False):
            if line < len(verdict.lines) and verdict.lines[line].view.frame == view.frame:
                yield polygon


def _draw_bar(draw: ImageDraw.ImageDraw, outline: tuple[Point, ...], letters: int) -> None:
    """A bar along the feet of the letters: nobody asked for what stands on it."""
    feet = outline[len(outline) // 2 :]
    if len(feet) > 1:
        stroke = max(8, letters // 2)
        draw.line(feet, fill=WHITE, width=stroke + 4, joint="curve")
        draw.line(feet, fill=CATEGORIES[Category.OFF_SCRIPT], width=stroke, joint="curve")


def _finding_label(finding: ImageFinding) -> str:
    return f"{finding.category.value} {finding.score:.2f}"


def _worst(line: TextLine) -> tuple[Category, float] | None:
    worst = max(line.scores.items(), key=lambda entry: entry[1], default=None)
    return worst if worst and worst[1] >= _SHOWN_SCORE else None


def _line_label(line: TextLine, *, asked_for: bool) -> str:
    worst = _worst(line)
    told = f"{worst[0].value} {worst[1]:.2f}" if worst else f"read {line.confidence:.2f}"
    return f"{line.text} · {told if asked_for else told + ', not asked for'}"


def _line_colour(line: TextLine, reason: Reason | None) -> Colour:
    """A reason's line in its decision's colour, a suspicious one in its category's, the rest in blue."""
    if reason:
        return DECISIONS[reason.decision]
    worst = _worst(line)
    return CATEGORIES[worst[0]] if worst else NEUTRAL


def _draw_marks(draw: ImageDraw.ImageDraw, marks: list[_Mark], letters: int, within: Box) -> None:
    stroke = max(2, letters // 7)
    for mark in marks:
        ring = [*mark.outline, mark.outline[0]]
        # A dark and a light rim, so that the colour stands off from any picture.
        for colour, width in ((BLACK, stroke + 8), (WHITE, stroke + 4), (mark.colour, stroke)):
            draw.line(ring, fill=colour, width=width, joint="curve")
    small = max(13, round(letters * (0.85 if len(marks) <= _FEW_MARKS else 0.6)))
    anchors = [bounds(mark.outline) for mark in marks]
    placed: list[Box] = []
    for index, mark in enumerate(marks):
        *words, score = mark.label.rpartition(" · ")
        tail = words[1] + score
        widest = within[2] - within[0] - small - font(small).getlength(tail)
        text = shortened(words[0], small, widest) + tail
        size = font(small).getlength(text) + 0.6 * small, 1.45 * small
        box = place(size, anchors[index], within, placed, anchors[:index] + anchors[index + 1 :])
        placed.append(box)
        draw.rectangle(box, fill=mark.colour, outline=WHITE)
        draw.text((box[0] + 0.3 * small, (box[1] + box[3]) / 2), text, ink_on(mark.colour), font(small), anchor="lm")
