"""Nothing is lost between what a caller holds and what is sent."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from gatepost_client import InvalidRequest
from gatepost_client.images import check_type, encoded

LIMIT = 10**7


def decoded(source: object) -> Image.Image:
    check_type(source)  # type: ignore[arg-type]
    return Image.open(io.BytesIO(encoded(source, max_bytes=LIMIT)))  # type: ignore[arg-type]


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (5, 7, 4), (1, 1)])
def test_arrays_arrive_pixel_for_pixel(shape: tuple[int, ...]) -> None:
    array = noise(*shape)
    assert np.array_equal(np.asarray(decoded(array)), array)


def test_arrays_need_not_be_contiguous() -> None:
    array = noise(6, 8, 3)[::2, ::-1]
    assert np.array_equal(np.asarray(decoded(array)), array)


@pytest.mark.parametrize(
    ("array", "complaint"),
    [
        (np.zeros((4, 4), np.float32), "uint8"),
        (np.zeros((4, 4), np.uint16), "uint8"),
        (np.zeros((4,), np.uint8), "not 4"),
        (np.zeros((4, 4, 2), np.uint8), "not 4x4x2"),
        (np.zeros((1, 4, 4, 3), np.uint8), "not 1x4x4x3"),
    ],
)
def test_arrays_that_are_no_pictures_are_mistakes(array: np.ndarray, complaint: str) -> None:
    with pytest.raises(TypeError, match=complaint):
        check_type(array)


def test_an_array_without_pixels_is_a_bad_image() -> None:
    with pytest.raises(InvalidRequest) as caught:
        encoded(np.zeros((0, 5, 3), np.uint8), max_bytes=LIMIT)
    assert caught.value.reason == "IMAGE_ZERO_SIZE"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16"])
def test_pillow_images_arrive_pixel_for_pixel(mode: str) -> None:
    if mode == "I;16":
        image = Image.fromarray(np.arange(0, 60000, 1000, dtype=np.uint16).reshape(6, 10))
    else:
        image = Image.fromarray(noise(6, 10, 4), "RGBA").convert("RGB").convert(mode)
    arrived = decoded(image)
    assert arrived.mode == mode
    assert arrived.tobytes() == image.tobytes()


def test_modes_that_no_file_holds_are_converted() -> None:
    assert decoded(Image.new("HSV", (3, 3))).mode == "RGB"
    assert decoded(Image.new("PA", (3, 3))).mode == "RGBA"


def test_all_frames_of_an_animation_arrive() -> None:
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "green", "blue")]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    animation = Image.open(buffer)
    animation.seek(1)
    arrived = decoded(animation)
    assert arrived.n_frames == 3  # type: ignore[attr-defined]
    assert animation.tell() == 1
    colours = []
    for frame in range(3):
        arrived.seek(frame)
        colours.append(arrived.convert("RGB").getpixel((0, 0)))
    assert colours == [(255, 0, 0), (0, 128, 0), (0, 0, 255)]


def test_a_turned_photograph_arrives_turned_and_without_its_other_metadata() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    buffer = io.BytesIO()
    Image.fromarray(noise(4, 9, 3)).save(buffer, "PNG", exif=exif)
    original = Image.open(buffer)
    arrived = decoded(original)
    assert ImageOps.exif_transpose(arrived).tobytes() == ImageOps.exif_transpose(original).tobytes()
    assert 0x010F not in arrived.getexif()


def test_bytes_and_their_views_are_sent_as_they_are() -> None:
    for source in (b"abc", bytearray(b"abc"), memoryview(b"abc")):
        assert encoded(source, max_bytes=3) == b"abc"


@pytest.mark.parametrize("source", [b"abcd", bytearray(b"abcd")])
def test_what_is_too_long_is_refused(source: bytes) -> None:
    with pytest.raises(InvalidRequest) as caught:
        encoded(source, max_bytes=3)
    assert (caught.value.reason, caught.value.field) == ("IMAGE_TOO_LARGE", "image")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs an endless file")
def test_an_endless_file_is_refused_without_being_read_whole() -> None:
    with pytest.raises(InvalidRequest) as caught:
        encoded("/dev/zero", max_bytes=1000)
    assert caught.value.reason == "IMAGE_TOO_LARGE"


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    with pytest.raises(InvalidRequest) as caught:
        encoded(tmp_path / "empty.png", max_bytes=LIMIT)
    assert caught.value.reason == "IMAGE_EMPTY"
