"""One picture of the whole demo: every annotated card with its decision, what was asked for and why."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from PIL import Image, ImageDraw, ImageFont, ImageOps

import gatepost_client

COLUMNS, THUMBNAIL, GAP, CAPTION = 5, 360, 24, 112
_COLOURS = {"ALLOW": "#1b8a3f", "REVIEW": "#c77700", "BLOCK": "#b3151b", "HOLD": "#5a5f6b"}
_INK, _PAPER, _FAINT = "#1d2129", "#f4f5f7", "#5a5f6b"


@dataclass(frozen=True, slots=True)
class Cell:
    """One judged card. `picture` is an encoded image: annotated, or the card itself."""

    picture: bytes
    decision: str
    asked: str
    reasons: str
    as_expected: bool


def contact_sheet(cells: Sequence[Cell], title: str) -> Image.Image:
    """An RGB image with the cells in rows, a title above."""
    rows = -(-len(cells) // COLUMNS)
    step_x, step_y = THUMBNAIL + GAP, THUMBNAIL + CAPTION + GAP
    sheet = Image.new("RGB", (GAP + COLUMNS * step_x, 84 + rows * step_y), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((GAP, 24), title, fill=_INK, font=_font(34))
    for index, cell in enumerate(cells):
        _draw_cell(sheet, cell, GAP + index % COLUMNS * step_x, 84 + index // COLUMNS * step_y)
    return sheet


def _draw_cell(sheet: Image.Image, cell: Cell, x: int, y: int) -> None:
    draw = ImageDraw.Draw(sheet)
    colour = _COLOURS.get(cell.decision, _FAINT)
    draw.rounded_rectangle((x - 6, y - 6, x + THUMBNAIL + 6, y + THUMBNAIL + CAPTION), 12, fill="white")
    with Image.open(io.BytesIO(cell.picture)) as picture:
        thumbnail = ImageOps.contain(picture.convert("RGBA"), (THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    sheet.paste(thumbnail, (x + (THUMBNAIL - thumbnail.width) // 2, y + (THUMBNAIL - thumbnail.height) // 2), thumbnail)
    draw.rectangle((x, y, x + THUMBNAIL - 1, y + THUMBNAIL - 1), outline=colour, width=5)
    text_y = y + THUMBNAIL + 10
    width = draw.textlength(cell.decision, _font(24))
    draw.rounded_rectangle((x, text_y, x + width + 20, text_y + 32), 8, fill=colour)
    draw.text((x + 10, text_y), cell.decision, fill="white", font=_font(24))
    if not cell.as_expected:
        draw.text((x + width + 32, text_y + 3), "not as expected", fill=_COLOURS["BLOCK"], font=_font(20))
    draw.text((x, text_y + 38), _cut(draw, cell.asked, 18), fill=_INK, font=_font(18))
    draw.text((x, text_y + 66), _cut(draw, cell.reasons, 18), fill=_FAINT, font=_font(18))


def _cut(draw: ImageDraw.ImageDraw, text: str, size: int) -> str:
    """The text, shortened with an ellipsis to the width of a thumbnail."""
    if draw.textlength(text, _font(size)) <= THUMBNAIL:
        return text
    while text and draw.textlength(text + "…", _font(size)) > THUMBNAIL:
        text = text[:-1]
    return text + "…"


def _font(size: int) -> ImageFont.FreeTypeFont:
    """The SDK's own font: no font of the machine is needed."""
    with resources.as_file(resources.files(gatepost_client) / "fonts" / "gatepost-sans-sc.otf") as path:
        return ImageFont.truetype(path, size)
