"""Verdicts drawn on images."""

from __future__ import annotations

import io
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from gatepost.v1 import verdict_pb2
from gatepost_client import Category, Decision, InvalidRequest
from gatepost_client._convert import verdict_from_proto
from gatepost_client.annotate import annotate, telling_view
from gatepost_client.annotate.picture import LONGEST_SIDE
from gatepost_client.annotate.placement import overlap, place
from gatepost_client.annotate.style import CATEGORIES, DECISIONS, NEUTRAL, font, ink_on, shortened
from gatepost_client.testing import verdict

BOX = [(100, 200), (400, 200), (400, 260), (100, 260)]


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def plain(colour: str = "white", size: tuple[int, int] = (600, 600)) -> bytes:
    return encoded(Image.new("RGB", size, colour))


def drawn(image: bytes, message: verdict_pb2.Verdict) -> Image.Image:
    data = annotate(image, message)
    assert isinstance(data, bytes)
    result = Image.open(io.BytesIO(data))
    assert result.format == "PNG"
    return result.convert("RGB")


def band(sheet: Image.Image, height: int = 600) -> int:
    """How high the band above the picture is."""
    return sheet.height - height


def has(sheet: Image.Image, colour: tuple[int, int, int]) -> bool:
    return colour in {shade for _, shade in sheet.getcolors(2**24) or ()}


def test_the_picture_stays_as_it_was_below_the_band() -> None:
    original = Image.effect_noise((600, 600), 80).convert("RGB")
    sheet = drawn(encoded(original), verdict())
    assert sheet.width == 600
    assert sheet.crop((0, band(sheet), 600, sheet.height)).tobytes() == original.tobytes()


@pytest.mark.parametrize("decision", list(Decision))
def test_the_band_bears_the_decisions_colour(decision: Decision) -> None:
    sheet = drawn(plain(), verdict(decision, Category.INSULT))
    assert has(sheet.crop((0, 0, 600, band(sheet))), DECISIONS[decision])


@pytest.mark.parametrize("colour", ["white", "black", "red", (200, 30, 30), (0, 105, 180), "gray"])
def test_an_outline_stands_off_from_any_background(colour: str) -> None:
    sheet = drawn(plain(colour), verdict(Decision.BLOCK, Category.INSULT, text="滚", polygon=BOX))
    top = band(sheet)
    column = [sheet.getpixel((250, top + y)) for y in range(190, 211)]
    assert {(0, 0, 0), (255, 255, 255), DECISIONS[Decision.BLOCK]} <= set(column)


def test_what_nobody_asked_for_stands_on_a_bar() -> None:
    message = verdict(text="今晚打老虎", polygon=BOX)
    assert not has(drawn(plain(), message), CATEGORIES[Category.OFF_SCRIPT])
    part = [verdict_pb2.Point(x=x, y=y) for x, y in [(250, 200), (400, 200), (400, 260), (250, 260)]]
    message.asked_text.spans.add(
        kind=verdict_pb2.AskedSpan.KIND_UNEXPECTED, lines=[0], polygons=[verdict_pb2.Polygon(points=part)]
    )
    sheet = drawn(plain(), message)
    top = band(sheet)
    assert sheet.getpixel((350, top + 260)) == CATEGORIES[Category.OFF_SCRIPT]
    assert sheet.getpixel((150, top + 260)) == NEUTRAL


def test_a_span_of_another_frame_or_of_no_line_is_not_drawn() -> None:
    message = verdict(text="今晚打老虎", polygon=BOX)
    corners = verdict_pb2.Polygon(points=[verdict_pb2.Point(x=x, y=y) for x, y in BOX])
    for lines in ([], [7]):
        message.asked_text.spans.add(kind=verdict_pb2.AskedSpan.KIND_UNEXPECTED, lines=lines, polygons=[corners])
    assert not has(drawn(plain(), message), CATEGORIES[Category.OFF_SCRIPT])


def test_outlines_lie_where_the_lines_are() -> None:
    sheet = drawn(plain(), verdict(text="新年快乐", polygon=BOX))
    top = band(sheet)
    for x, y in [(390, 200), (250, 260), (100, 230), (400, 230)]:  # the label lies on the left of the top
        assert sheet.getpixel((x, top + y)) == NEUTRAL
    assert sheet.getpixel((250, top + 230)) == (255, 255, 255)


@pytest.mark.parametrize("text", ["新年快乐，仕途顺遂", "新年快樂，萬事如意", "Happy New Year!", "年年有鱼 2026"])
def test_chinese_and_english_are_lettered_from_the_bundled_font(text: str) -> None:
    missing = font(24).getmask("\U0001f9e7")  # an emoji, which the font does not have
    for character in text.replace(" ", ""):
        mask = font(24).getmask(character)
        assert mask.getbbox(), character
        assert bytes(mask) != bytes(missing), character
    one, other = (drawn(plain(), verdict(text=words, polygon=BOX)) for words in (text, text[::-1]))
    assert ImageChops.difference(one, other).getbbox()


def test_a_verdict_of_the_sdk_is_drawn_like_that_of_the_wire() -> None:
    message = verdict(Decision.REVIEW, Category.HATE, text="某某", polygon=BOX)
    assert annotate(plain(), message) == annotate(plain(), verdict_from_proto(message))


def test_findings_of_the_picture_have_boxes_when_they_are_strong_or_a_reason() -> None:
    def with_finding(score: float, decision: Decision = Decision.ALLOW) -> Image.Image:
        message = verdict(decision, Category.WEAPONS if decision is not Decision.ALLOW else None, score=score)
        message.image_findings.add(
            category=verdict_pb2.CATEGORY_WEAPONS,
            score=score,
            top_left=verdict_pb2.Point(x=50, y=60),
            bottom_right=verdict_pb2.Point(x=300, y=400),
        )
        return drawn(plain(), message)

    assert has(with_finding(0.9), CATEGORIES[Category.WEAPONS])
    assert not has(with_finding(0.1), CATEGORIES[Category.WEAPONS])
    assert has(with_finding(0.4, Decision.REVIEW), CATEGORIES[Category.WEAPONS])


def test_the_frame_of_the_reasons_line_is_drawn_with_its_lines_alone() -> None:
    frames = [Image.new("RGB", (600, 600), colour) for colour in ("red", "lime", "blue")]
    animation = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    message = verdict(Decision.BLOCK, Category.INSULT, text="新年", polygon=BOX)
    message.lines.add(text="滚", polygon=message.lines[0].polygon, view=verdict_pb2.View(frame=2))
    message.lines[0].view.frame = 1
    sheet = drawn(animation, message)
    assert sheet.getpixel((20, sheet.height - 20)) == (0, 255, 0)
    message.reasons[0].source = "line:1"
    sheet = drawn(animation, message)
    assert sheet.getpixel((20, sheet.height - 20)) == (0, 0, 255)
    del message.lines[:]
    sheet = drawn(animation, message)
    assert sheet.getpixel((20, sheet.height - 20)) == (255, 0, 0)


def test_a_reason_that_names_no_line_falls_back_to_the_first() -> None:
    message = verdict(Decision.BLOCK, Category.INSULT, text="新年")
    message.lines[0].view.frame = 5
    for source in ("line:9", "line:x", "joined", "image"):
        message.reasons[0].source = source
        assert telling_view(verdict_from_proto(message)).frame == 5


@pytest.mark.parametrize(
    ("background", "colour"),
    [
        (verdict_pb2.View.BACKGROUND_BLACK, (0, 0, 0)),
        (verdict_pb2.View.BACKGROUND_WHITE, (255, 255, 255)),
        (verdict_pb2.View.BACKGROUND_OPAQUE, (255, 255, 255)),
    ],
)
def test_transparent_images_are_shown_on_the_background_that_told(
    background: verdict_pb2.View.Background, colour: tuple[int, int, int]
) -> None:
    message = verdict(text="hidden", polygon=BOX)
    message.lines[0].view.background = background
    sheet = drawn(encoded(Image.new("RGBA", (600, 600), (9, 9, 9, 0))), message)
    assert sheet.getpixel((20, sheet.height - 20)) == colour


def test_photographs_are_drawn_upright() -> None:
    image = Image.new("RGB", (600, 300), "red")
    image.paste("blue", (0, 0, 300, 300))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned right by a quarter
    sheet = drawn(encoded(image, "PNG", exif=exif), verdict())
    assert sheet.size[0] == 360  # 300, widened for the band
    assert sheet.getpixel((10, band(sheet) + 10)) == (0, 0, 255)
    assert sheet.getpixel((10, sheet.height - 10)) == (255, 0, 0)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "I;16", "RGBA"])
def test_every_kind_of_pixels_can_be_drawn_on(mode: str) -> None:
    image = Image.new(mode, (600, 600)) if mode == "I;16" else Image.new("RGB", (600, 600), "gray").convert(mode)
    assert drawn(encoded(image, "TIFF"), verdict(text="x", polygon=BOX)).width == 600


def test_sixteen_bits_keep_their_shades() -> None:
    image = Image.new("I;16", (600, 600), 32768)
    shade = drawn(encoded(image), verdict()).getpixel((10, 590))
    assert shade == (127, 127, 127)


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (5000, 20), (4000, 3000)])
def test_odd_sizes_make_readable_sheets_of_bounded_size(size: tuple[int, int]) -> None:
    polygon = [(0, 0), (size[0], 0), (size[0], size[1]), (0, size[1])]
    sheet = drawn(plain(size=size), verdict(Decision.BLOCK, Category.INSULT, text="很" * 300, polygon=polygon))
    assert 360 <= sheet.width <= LONGEST_SIDE
    assert sheet.height <= LONGEST_SIDE + 200


def test_polygons_from_elsewhere_end_at_the_edge() -> None:
    for corner in (-1e9, 1e9, math.nan, math.inf):
        drawn(plain(), verdict(text="x", polygon=[(corner, corner), (50, 0), (50, 50), (0, 50)]))
    drawn(plain(), verdict(text="x", polygon=[(0, 0)]))
    drawn(plain(), verdict(text="", polygon=[]))


@pytest.mark.parametrize(
    "data", [b"", b"garbage", plain()[:100], b"\x89PNG\r\n\x1a\n", b"GIF89a" + b"\0" * 40], ids=range(5)
)
def test_an_image_that_cannot_be_decoded_is_an_error_and_no_exception(data: bytes) -> None:
    result = annotate(data, verdict(text="x"))
    assert isinstance(result, InvalidRequest)
    assert (result.reason, result.field) == ("IMAGE_CORRUPT", "image")


@settings(deadline=None, max_examples=60)
@given(where=st.integers(8, 200), byte=st.integers(0, 255))
def test_no_damage_to_an_image_raises(where: int, byte: int) -> None:
    data = bytearray(plain(size=(30, 30)))
    data[where % len(data)] = byte
    assert isinstance(annotate(bytes(data), verdict(text="x")), (bytes, InvalidRequest))


@given(
    anchors=st.lists(st.tuples(st.floats(0, 900), st.floats(0, 900)), min_size=1, max_size=8),
)
def test_labels_stay_within_the_picture(anchors: list[tuple[float, float]]) -> None:
    within, placed = (0.0, 0.0, 1000.0, 1000.0), []
    for x, y in anchors:
        box = place((200.0, 30.0), (x, y, x + 100, y + 50), within, placed, [])
        assert box[0] >= 0 and box[1] >= 0 and box[2] <= 1000.001 and box[3] <= 1000.001  # noqa: PT018
        placed.append(box)


def test_labels_of_neighbouring_lines_do_not_cover_each_other() -> None:
    anchors = [(100.0, 40.0 * row, 300.0, 40.0 * row + 38) for row in range(10)]
    placed: list[tuple[float, float, float, float]] = []
    for index, anchor in enumerate(anchors):
        others = anchors[:index] + anchors[index + 1 :]
        placed.append(place((180.0, 30.0), anchor, (0.0, 0.0, 1000.0, 1000.0), placed, others))
    for index, box in enumerate(placed):
        assert sum(overlap(box, other) for other in placed[index + 1 :] + anchors) < 5


def test_letters_contrast_with_every_colour_that_they_stand_on() -> None:
    def luminance(colour: tuple[int, int, int]) -> float:
        linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for colour in {*DECISIONS.values(), *CATEGORIES.values(), NEUTRAL}:
        lighter, darker = sorted((luminance(colour), luminance(ink_on(colour))), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, colour  # WCAG 2.1 AA


def test_long_text_is_cut_and_control_characters_do_not_break_lines() -> None:
    short = shortened("新年快乐" * 50, 20, 200)
    assert short.endswith("…")
    assert font(20).getlength(short) <= 200
    assert shortened("a\nb\x1b[2Jc", 20, 500) == "a b [2Jc"
