"""Pictures are told from everything else by their first bytes."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gatepost_client.tickets.pictures import HEAD, is_picture


def encoded(kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (32, 32), "red").save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "ICO", "JPEG2000"])
def test_every_format_is_known_however_it_is_cut(kind):
    image = encoded(kind)
    for length in range(HEAD):
        answer = is_picture(image[:length])
        assert answer is not False, length
    assert is_picture(image[:HEAD]) is True


def test_an_avif_is_known_by_any_of_its_brands():
    box = b"ftypisom" + b"\0\0\0\0" + b"mp41" + b"avif"
    assert is_picture((len(box) + 4).to_bytes(4, "big") + box) is True
    assert is_picture((HEAD + 4).to_bytes(4, "big") + box) is True  # what cannot be seen whole
    assert is_picture(b"\0\0\0\x01" + box) is True


@pytest.mark.parametrize(
    "text",
    [
        b"<!doctype html><p>",
        b'{"a": 1}',
        b"data: an event\n\n",
        b"BM25 is a ranking function",
        b"RIFF\0\0\0\0WAVEfmt ",
        b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41" + bytes(32),
        b"%PDF-1.7",
        b"PK\x03\x04",
        b"x",
    ],
)
def test_other_things_are_let_go_at_once(text):
    assert is_picture(text) is False


def test_nothing_may_still_become_anything():
    assert is_picture(b"") is None


@given(st.binary(max_size=2 * HEAD))
def test_enough_bytes_always_decide(body):
    padded = (body + bytes(2 * HEAD))[:HEAD]
    assert is_picture(padded) is not None
    for length in (1, 4, 8, 12, 18, 64):
        early = is_picture(padded[:length])
        assert early is None or early is is_picture(padded)
