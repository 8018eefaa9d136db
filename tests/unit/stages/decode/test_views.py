"""What the nets get to look at: backgrounds, frames, sizes."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from gatepost_server.domain.labels import Background
from gatepost_server.stages.decode import reader
from gatepost_server.stages.decode.containers.base import Header
from tests.unit.stages.decode.pictures import (
    animation,
    card,
    chunk,
    decoded,
    encode,
    facts_of,
    noise,
    quarters,
    refused,
)


def _hidden(ink: tuple[int, int, int], size: tuple[int, int] = (200, 80)) -> Image.Image:
    image = Image.new("RGBA", size, (*ink, 0))
    ImageDraw.Draw(image).text((10, 10), "HIDDEN", fill=(*ink, 255), font_size=40)
    return image


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("ink", [(255, 255, 255), (0, 0, 0)])
def test_text_hidden_by_transparency_shows_on_one_of_the_backgrounds(kind, ink):
    result = decoded(encode(_hidden(ink), kind))
    on_white, on_black = result.arrays["OCR_PIXELS"].astype(int)
    assert [view.background for view in facts_of(result).views] == [Background.WHITE, Background.BLACK]
    contrast = {"white": np.ptp(on_white), "black": np.ptp(on_black)}
    assert max(contrast.values()) > 200
    assert min(contrast.values()) < 30
    assert result.looked_at == {"frames": 1, "frames_alike": 0, "frames_left_out": 0, "views": 2}


def test_a_palette_with_transparency_is_looked_at_on_both_backgrounds():
    image = Image.new("P", (40, 40), 0)
    image.putpalette([255, 255, 255, 255, 255, 255])
    image.paste(1, (10, 10, 30, 30))
    result = decoded(encode(image, "PNG", transparency=0))
    on_white, on_black = result.arrays["OCR_PIXELS"]
    assert np.ptp(on_white) == 0
    assert np.ptp(on_black) == 255


def test_a_transparent_colour_of_an_rgb_png_counts_as_transparency():
    result = decoded(encode(quarters(), "PNG", transparency=(200, 30, 40)))
    assert result.arrays["OCR_PIXELS"].shape[0] == 2
    assert (result.arrays["OCR_PIXELS"][1][8, 8] == 0).all()


def test_an_opaque_alpha_channel_costs_no_second_view():
    assert decoded(encode(quarters().convert("RGBA"), "PNG")).arrays["OCR_PIXELS"].shape[0] == 1


def test_one_barely_transparent_pixel_is_enough_for_both_views():
    image = quarters().convert("RGBA")
    image.putpixel((3, 3), (255, 255, 255, 250))
    assert decoded(encode(image, "PNG")).arrays["OCR_PIXELS"].shape[0] == 2


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("count", [2, 5, 20, 32])
def test_the_last_frame_is_always_looked_at(kind, count):
    kind_cards = [card(f"card {index}") for index in range(count - 1)]
    last = card("LAST", paper="#104080", ink="#ffffff")
    result = decoded(animation([*kind_cards, last], kind))
    facts = facts_of(result)
    assert facts.frames == count
    assert [facts.views[0].frame, facts.views[-1].frame] == [0, count - 1]
    shown = result.arrays["OCR_PIXELS"][-1].astype(int)
    assert np.abs(shown - np.asarray(last)).mean() < 12


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_every_view_shows_its_own_frame(kind, mode):
    papers = ["#b01020", "#104080", "#108040", "#805010", "#301060"]
    frames = [card(f"card {index}", paper=paper) for index, paper in enumerate(papers)]
    if mode == "RGBA":
        frames = [frame.convert("RGBA") for frame in frames]
        for frame in frames:
            frame.paste((0, 0, 0, 0), (0, 0, 20, 20))
    result = decoded(animation(frames, kind, **({"disposal": 2} if kind == "GIF" else {})), max_views=10)
    for view, shown in zip(facts_of(result).views, result.arrays["OCR_PIXELS"], strict=True):
        expected = np.asarray(frames[view.frame].convert("RGB")).astype(int)
        assert np.abs(shown[20:] - expected[20:]).mean() < 12, view


def test_distinct_frames_are_preferred_to_alike_ones():
    frames = [card("same").copy() for _ in range(20)]
    frames[7] = card("OTHER")
    for index, frame in enumerate(frames):  # a pixel that keeps the encoder from merging equal frames
        frame.putpixel((0, 0), (index, 0, 0))
    result = decoded(animation(frames, "PNG"))
    assert [view.frame for view in facts_of(result).views] == [0, 7, 19]
    assert result.looked_at == {"frames": 3, "frames_alike": 17, "frames_left_out": 0, "views": 3}
    assert result.skipped == ()


def test_distinct_frames_that_were_not_looked_at_are_reported():
    frames = [noise(seed=seed) for seed in range(12)]
    result = decoded(animation(frames, "WEBP", lossless=True))
    assert result.looked_at == {"frames": 8, "frames_alike": 0, "frames_left_out": 4, "views": 8}
    assert [skip.what for skip in result.skipped] == ["4 of 12 frames"]


def test_transparent_animations_share_the_views_between_both_backgrounds():
    frames = [_hidden((255, 255, 255), (200 + 8 * index, 80)).resize((200, 80)) for index in range(6)]
    result = decoded(animation(frames, "PNG"))
    views = facts_of(result).views
    assert len(views) == 8
    assert {view.frame for view in views} >= {0, 5}
    assert {view.background for view in views} == {Background.WHITE, Background.BLACK}


def test_the_default_image_of_an_apng_is_looked_at_too():
    data = animation([card("default"), card("one"), card("two")], "PNG", default_image=True)
    result = decoded(data)
    assert facts_of(result).frames == 3
    assert len(result.arrays["OCR_PIXELS"]) == 3


def test_a_gif_frame_beyond_the_screen_is_shown_whole():
    data = bytearray(animation([quarters(), card("BEYOND", (64, 64))], "GIF"))
    data[6:10] = (32).to_bytes(2, "little") * 2  # the logical screen is smaller than the frames
    result = decoded(bytes(data))
    assert (facts_of(result).width, facts_of(result).height) == (64, 64)
    assert result.arrays["OCR_PIXELS"].shape == (2, 64, 64, 3)


def test_pages_of_different_sizes_share_a_canvas():
    result = decoded(animation([card("1", (10, 10)), card("large", (300, 200))], "TIFF"))
    assert (facts_of(result).width, facts_of(result).height) == (300, 200)
    np.testing.assert_array_equal(result.arrays["OCR_PIXELS"][1], np.asarray(card("large", (300, 200))))


def test_pages_that_only_share_a_huge_canvas_are_refused():
    data = animation([Image.new("1", (9000, 1)), Image.new("1", (1, 9000))], "TIFF")
    assert refused(data).reason == "IMAGE_TOO_MANY_PIXELS"


@pytest.mark.parametrize(
    ("size", "ocr", "clip"),
    [
        ((1024, 1024), (1024, 1024), (512, 512)),
        ((300, 200), (300, 200), (300, 200)),
        ((4096, 1024), (2048, 512), (512, 128)),
        ((6000, 6000), (2048, 2048), (512, 512)),
        ((16384, 1), (2048, 1), (512, 1)),
        ((1, 16384), (1, 2048), (1, 512)),
        ((1, 1), (1, 1), (1, 1)),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_sides_are_capped_and_the_aspect_is_kept(kind, size, ocr, clip):
    result = decoded(encode(Image.new("L", size, 90), kind))
    assert result.arrays["OCR_PIXELS"].shape == (1, ocr[1], ocr[0], 3)
    assert result.arrays["CLIP_PIXELS"].shape == (1, clip[1], clip[0], 3)
    assert (facts_of(result).width, facts_of(result).height) == size


def test_several_views_share_the_bytes_of_one_tensor():
    frames = [noise((900, 900), seed) for seed in range(8)]
    pixels = decoded(animation(frames, "PNG", compress_level=1), max_bytes=2**26).arrays["OCR_PIXELS"]
    assert pixels.shape[0] == 8
    assert 0.95 * 2**24 < pixels.nbytes <= 2**24


def test_a_strip_too_narrow_to_be_read_is_reported_as_not_looked_at():
    assert decoded(encode(Image.new("L", (16000, 100)), "PNG")).skipped[0].what == "small text"
    assert decoded(encode(Image.new("L", (4000, 2000)), "PNG")).skipped == ()


def test_a_long_page_shrunk_until_its_text_is_gone_is_reported_as_not_looked_at():
    assert decoded(encode(Image.new("L", (1000, 16000)), "PNG")).skipped[0].what == "small text"
    assert decoded(encode(Image.new("L", (1000, 6000)), "PNG")).skipped == ()


def test_a_large_animation_shrunk_until_its_text_is_gone_is_reported_as_not_looked_at():
    frames = [noise((600, 600), seed=seed) for seed in range(4)]
    result = decoded(animation(frames, "PNG"), ocr_bytes=4 * 150 * 150 * 3)
    assert [skip.what for skip in result.skipped] == ["small text"]


def test_shrinking_keeps_fine_strokes():
    image = Image.new("L", (6000, 600), 255)
    draw = ImageDraw.Draw(image)
    for x in range(0, 6000, 12):
        draw.line((x, 0, x, 600), fill=0, width=3)
    for kind in ("PNG", "JPEG"):
        pixels = decoded(encode(image, kind)).arrays["OCR_PIXELS"][0, 100:-100, 100:-100, 0]
        assert abs(float(pixels.mean()) - 191) < 8  # a quarter is ink: nothing was dropped or doubled
        assert np.ptp(pixels) > 60


def test_facts_survive_an_unusual_chunk_order():
    data = encode(quarters(), "PNG")
    with_text = data[:33] + chunk(b"tEXt", b"Comment\0hello") + data[33:]
    np.testing.assert_array_equal(decoded(with_text).arrays["OCR_PIXELS"], decoded(data).arrays["OCR_PIXELS"])


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF", "TIFF"])
def test_an_animation_whose_header_tells_of_one_frame_is_refused(monkeypatch, kind):
    monkeypatch.setattr(reader, "read_header", lambda *_: Header(kind, 96, 80, frames=1))
    assert refused(animation([noise(seed=seed) for seed in range(3)], kind)).reason == "IMAGE_CORRUPT"
