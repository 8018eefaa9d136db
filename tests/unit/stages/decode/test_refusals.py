"""Every bad file has its own reason, quickly, and never costs its neighbours anything."""

from __future__ import annotations

import io
import struct
import time
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from gatepost_server.domain.errors import ErrorCode, GatepostError
from gatepost_server.stages.base import StageResult, text_array
from gatepost_server.stages.decode import DecodeStage
from tests.unit.stages.decode.pictures import animation, answer, chunk, encode, noise, png, quarters, refused

# As in production: Pillow's warnings about sloppy metadata stay warnings, only the stage's own filters are errors.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP", "TIFF"]
SMALL_GIF = encode(quarters(8), "GIF")


def _gif(frames: int) -> bytes:
    head, body = SMALL_GIF[:-1], SMALL_GIF[SMALL_GIF.index(b"\x2c\0\0\0\0") : -1]
    return head + body * (frames - 1) + b";"


def _long_text(kind: bytes, size: int) -> bytes:
    packed = zlib.compress(b"x" * size)
    middle = {b"zTXt": b"Comment\0\0", b"iTXt": b"Comment\0\1\0en\0\0", b"iCCP": b"name\0\0"}[kind]
    return png(8, 8, chunk(kind, middle + packed), pixels=(b"\0" + b"\1" * 24) * 8)


def _jpeg_of(width: int, height: int) -> bytes:
    data = bytearray(encode(quarters(), "JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def _many_scans() -> bytes:
    data = encode(quarters(), "JPEG", progressive=True)
    at = data.rindex(b"\xff\xda")
    return data[:-2] + data[at:-2] * 500 + data[-2:]


def _bmp_of(width: int, height: int) -> bytes:
    data = bytearray(encode(quarters(), "BMP"))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


def _webp_of(width: int, height: int) -> bytes:
    body = b"VP8X" + struct.pack("<I", 10) + b"\2\0\0\0" + (width - 1).to_bytes(3, "little")
    body += (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _circular_tiff() -> bytes:
    data = bytearray(encode(quarters(), "TIFF"))
    at = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, at)[0]
    data[at + 2 + 12 * count : at + 6 + 12 * count] = struct.pack("<I", at)
    return bytes(data)


def _tiff_of_repeated_tags(values: int) -> bytes:
    """A page whose thousand tags all list the same strips."""
    tags = struct.pack("<HHII", 273, 4, values, 8 + 2 + 12_000 + 4) * 1000
    return b"II*\0" + struct.pack("<IH", 8, 1000) + tags + bytes(4) + b"\xff" * (4 * values)


def _nested_avif(depth: int) -> bytes:
    body = struct.pack(">I4s", 8, b"free") * 90_000
    for _ in range(depth):
        body = struct.pack(">I4s", 8 + len(body), b"moov") + body
    return struct.pack(">I4s4sI4s", 20, b"ftyp", b"avif", 0, b"avif") + body


def _other(kind: str) -> bytes:
    return encode(quarters(), kind)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "IMAGE_EMPTY", id="empty"),
        pytest.param(b"\xff\xd8\xff" + bytes(20 * 2**20), "IMAGE_TOO_LARGE", id="over 20 MiB"),
        pytest.param(b"hello, this is no image", "IMAGE_FORMAT_UNSUPPORTED", id="text"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "IMAGE_FORMAT_UNSUPPORTED", id="svg"),
        pytest.param(_other("PDF"), "IMAGE_FORMAT_UNSUPPORTED", id="pdf"),
        pytest.param(b"8BPS\0\1" + bytes(40), "IMAGE_FORMAT_UNSUPPORTED", id="psd"),
        pytest.param(_other("ICO"), "IMAGE_FORMAT_UNSUPPORTED", id="ico"),
        pytest.param(_other("PPM"), "IMAGE_FORMAT_UNSUPPORTED", id="ppm"),
        pytest.param(_other("JPEG2000"), "IMAGE_FORMAT_UNSUPPORTED", id="jpeg 2000"),
        pytest.param(b"\0\0\0\x18ftypheic" + bytes(40), "IMAGE_FORMAT_UNSUPPORTED", id="heic"),
        pytest.param(b"\0\0\0\x18ftypmp42" + bytes(40), "IMAGE_FORMAT_UNSUPPORTED", id="mp4"),
        pytest.param(b"II\x2b\0\x08\0\0\0" + bytes(40), "IMAGE_FORMAT_UNSUPPORTED", id="bigtiff"),
        pytest.param(png(0, 0), "IMAGE_ZERO_SIZE", id="0x0 png"),
        pytest.param(_jpeg_of(0, 64), "IMAGE_ZERO_SIZE", id="0-wide jpeg"),
        pytest.param(_bmp_of(64, 0), "IMAGE_ZERO_SIZE", id="0-high bmp"),
        pytest.param(_bmp_of(-64, 64), "IMAGE_ZERO_SIZE", id="negative bmp"),
        pytest.param(b"GIF89a\1\0\1\0\0\0\0;", "IMAGE_ZERO_SIZE", id="gif without a frame"),
        pytest.param(png(16_385, 10), "IMAGE_SIDE_TOO_LONG", id="long png"),
        pytest.param(png(50_000, 50_000), "IMAGE_SIDE_TOO_LONG", id="png of 50,000 x 50,000"),
        pytest.param(_jpeg_of(65_500, 65_500), "IMAGE_SIDE_TOO_LONG", id="jpeg of 65,500 x 65,500"),
        pytest.param(png(16_000, 16_000), "IMAGE_TOO_MANY_PIXELS", id="256 megapixel png"),
        pytest.param(_jpeg_of(16_000, 16_000), "IMAGE_TOO_MANY_PIXELS", id="256 megapixel jpeg"),
        pytest.param(_bmp_of(16_000, -16_000), "IMAGE_TOO_MANY_PIXELS", id="256 megapixel bmp"),
        pytest.param(_webp_of(16_000, 16_000), "IMAGE_TOO_MANY_PIXELS", id="256 megapixel webp"),
        pytest.param(_gif(10_000), "IMAGE_TOO_MANY_FRAMES", id="gif of 10,000 frames"),
        pytest.param(
            animation([noise((4, 4), seed) for seed in range(33)], "WEBP"), "IMAGE_TOO_MANY_FRAMES", id="webp, 33"
        ),
        pytest.param(
            animation([noise((4, 4), seed) for seed in range(33)], "PNG"), "IMAGE_TOO_MANY_FRAMES", id="apng, 33"
        ),
        pytest.param(
            animation([noise((4, 4), seed) for seed in range(33)], "TIFF"), "IMAGE_TOO_MANY_FRAMES", id="tiff, 33"
        ),
        pytest.param(
            animation([noise((64, 64), seed) for seed in range(33)], "AVIF"), "IMAGE_TOO_MANY_FRAMES", id="avif, 33"
        ),
        pytest.param(_long_text(b"zTXt", 50_000_000), "IMAGE_METADATA_TOO_LARGE", id="zTXt of 50 MB"),
        pytest.param(
            png(8, 8, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**20))) * 5_000),
            "IMAGE_METADATA_TOO_LARGE",
            id="5,000 zTXt of 1 MB",
        ),
        pytest.param(_long_text(b"iTXt", 50_000_000), "IMAGE_METADATA_TOO_LARGE", id="iTXt of 50 MB"),
        pytest.param(_long_text(b"iCCP", 50_000_000), "IMAGE_METADATA_TOO_LARGE", id="iCCP of 50 MB"),
        pytest.param(_tiff_of_repeated_tags(400_000), "IMAGE_METADATA_TOO_LARGE", id="tiff of 400,000,000 strips"),
        pytest.param(_nested_avif(900), "IMAGE_CORRUPT", id="avif of 900 nested boxes"),
        pytest.param(b"\xff\xd8" + b"\xff" * 100_000 + b"\0", "IMAGE_TRUNCATED", id="jpeg of 100,000 fill bytes"),
        pytest.param(png(8, 8, chunk(b"tEXt", bytes(2**21))), "IMAGE_METADATA_TOO_LARGE", id="tEXt of 2 MB"),
        pytest.param(png(8, 8, chunk(b"tEXt", b"a\0b") * 200_000), "IMAGE_METADATA_TOO_LARGE", id="200,000 chunks"),
        pytest.param(
            b"\xff\xd8" + b"\xff\xfe\0\2" * 50_000 + b"\xff\xd9", "IMAGE_METADATA_TOO_LARGE", id="50,000 segments"
        ),
        pytest.param(
            SMALL_GIF[:-1] + b"\x21\xfe" + b"\1a" * 500_000 + b"\0;", "IMAGE_METADATA_TOO_LARGE", id="gif comments"
        ),
        pytest.param(_many_scans(), "IMAGE_CORRUPT", id="jpeg of 500 scans"),
        pytest.param(_circular_tiff(), "IMAGE_CORRUPT", id="tiff that runs in a circle"),
        pytest.param(
            encode(quarters(), "PNG").replace(b"IHDR\0\0\0\x40", b"IHDR\0\0\0\x41"), "IMAGE_CORRUPT", id="png checksum"
        ),
        pytest.param(
            animation([noise(seed=1), noise(seed=2)], "PNG").replace(
                chunk(b"acTL", struct.pack(">II", 2, 0)), chunk(b"acTL", struct.pack(">II", 1, 0))
            ),
            "IMAGE_CORRUPT",
            id="apng with more frames than promised",
        ),
        pytest.param(b"\x89PNG\r\n\x1a\n", "IMAGE_TRUNCATED", id="png magic alone"),
        pytest.param(b"BM" + bytes(8), "IMAGE_TRUNCATED", id="bmp magic alone"),
        pytest.param(b"\xff\xd8\xff\xd9", "IMAGE_CORRUPT", id="jpeg without a scan"),
    ],
)
def test_a_bad_image_is_refused_with_its_own_reason_in_milliseconds(data, reason):
    DecodeStage({})
    started = time.process_time()
    error = refused(data)
    took = time.process_time() - started
    assert (error.reason, error.code, error.field) == (reason, ErrorCode.INVALID_ARGUMENT, "image")
    assert took < 0.5  # processor time


def test_many_frames_of_many_pixels_are_refused_before_they_are_decoded():
    data = animation([Image.new("L", (5000, 5000), shade) for shade in (0, 60, 120)], "GIF")
    error = refused(data, max_total_pixels=60_000_000)
    assert error.reason == "IMAGE_TOO_MANY_PIXELS"


def test_pillows_own_limit_holds_where_the_operators_is_higher():
    for width in (12_000, 16_000):  # a warning of Pillow's, and an error
        assert refused(png(width, 12_000), max_pixels=10**9).reason == "IMAGE_TOO_MANY_PIXELS"


def test_limits_follow_the_parameters():
    assert refused(encode(quarters(), "PNG"), max_bytes=50).reason == "IMAGE_TOO_LARGE"
    assert refused(encode(quarters(), "PNG"), max_side=63).reason == "IMAGE_SIDE_TOO_LONG"
    assert refused(encode(quarters(), "PNG"), max_pixels=4095).reason == "IMAGE_TOO_MANY_PIXELS"
    assert refused(_gif(3), max_frames=2).reason == "IMAGE_TOO_MANY_FRAMES"
    with pytest.raises(ValueError, match="max_views"):
        DecodeStage({"max_views": "1"})
    with pytest.raises(ValueError, match="at least 1"):
        DecodeStage({"max_pixels": "0"})


@pytest.mark.parametrize("kind", FORMATS)
def test_a_cut_file_is_an_error_at_every_offset(kind):
    data = encode(noise(), kind)
    for keep in sorted({1, 2, 3, 8, 12, 16, 30, *range(40, len(data), max(1, len(data) // 60)), len(data) - 1}):
        error = refused(data[:keep])
        assert error.reason in {"IMAGE_TRUNCATED", "IMAGE_CORRUPT", "IMAGE_FORMAT_UNSUPPORTED"}
        assert error.field == "image"
    assert refused(data[: len(data) * 2 // 3]).reason == "IMAGE_TRUNCATED"


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF", "TIFF"])
def test_a_cut_animation_is_an_error_at_every_offset(kind):
    data = animation([noise(seed=seed) for seed in range(3)], kind)
    for keep in range(40, len(data), max(1, len(data) // 40)):
        assert refused(data[:keep]).field == "image"


@pytest.mark.parametrize("options", [{"progressive": True}, {"restart_marker_blocks": 2}, {"optimize": True}])
def test_a_cut_jpeg_of_any_coding_is_an_error(options):
    data = encode(noise(), "JPEG", **options)
    for keep in range(40, len(data), max(1, len(data) // 40)):
        assert refused(data[:keep]).field == "image"


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"])
def test_a_cut_tiff_of_any_compression_is_an_error(compression):
    data = encode(noise(), "TIFF", compression=compression)
    for keep in range(9, len(data), max(1, len(data) // 40)):
        assert refused(data[:keep]).field == "image"


def test_a_run_length_coded_bmp_without_its_end_is_an_error():
    rows = b"".join(b"\x08\5\0\0" for _ in range(8)) + b"\0\1"
    palette = bytes(range(256)) * 4
    header = struct.pack("<IiiHHIIiiII", 40, 8, 8, 1, 8, 1, len(rows), 0, 0, 256, 0)
    data = b"BM" + struct.pack("<IHHI", 54 + 1024 + len(rows), 0, 0, 54 + 1024) + header + palette + rows
    assert isinstance(answer(data), StageResult)
    assert refused(data[:-6]).reason == "IMAGE_TRUNCATED"


def test_one_bad_image_does_not_sink_its_neighbours():
    files = [encode(noise(seed=1), "PNG"), b"no image", encode(quarters(), "JPEG"), b"", encode(noise(seed=2), "PNG")]
    results = DecodeStage({}).run([{"IMAGE": text_array([data])} for data in files])
    assert [isinstance(result, StageResult) for result in results] == [True, False, True, False, True]
    np.testing.assert_array_equal(results[0].arrays["OCR_PIXELS"][0], np.asarray(noise(seed=1)))
    np.testing.assert_array_equal(results[4].arrays["OCR_PIXELS"][0], np.asarray(noise(seed=2)))
    assert [str(results[1].reason), str(results[3].reason)] == ["IMAGE_FORMAT_UNSUPPORTED", "IMAGE_EMPTY"]


def test_errors_say_nothing_of_the_content_or_the_server():
    for data in (b"secret words", encode(noise(), "PNG")[:500], png(4, 4, pixels=b"short")):
        assert "secret" not in refused(data).message
        assert "/" not in refused(data).message


def test_what_pillow_warns_of_is_dropped():
    exif = b"Exif\0\0II*\0" + struct.pack("<IHHHII", 8, 1, 270, 2, 500, 9_000)  # a text behind the end
    jpeg = encode(quarters(), "JPEG")
    jpeg = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with Image.open(io.BytesIO(jpeg)) as image:
            image.getexif()
        assert seen  # so that there is something to drop
        seen.clear()
        assert isinstance(answer(jpeg), StageResult)
        assert not seen


SEEDS = [encode(noise((24, 20)), kind) for kind in FORMATS]
SEEDS += [animation([noise((24, 20), seed) for seed in range(3)], kind) for kind in ("GIF", "PNG", "WEBP", "AVIF")]
MAGICS = [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\xff\0\0\0WEBP", b"GIF89a", b"\0\0\0\x14ftypavif", b"II*\0"]
STAGE = DecodeStage({})


def _is_an_answer(data: bytes) -> None:
    (result,) = STAGE.run([{"IMAGE": text_array([data])}])
    if isinstance(result, GatepostError):
        assert result.field == "image"
    else:
        assert result.arrays["OCR_PIXELS"].dtype == np.uint8


@settings(max_examples=200, deadline=None)
@given(magic=st.sampled_from([*MAGICS, b"MM\0*", b"BM"]), rest=st.binary(max_size=400))
@example(magic=b"", rest=b"\0")
def test_random_bytes_get_an_answer(magic, rest):
    _is_an_answer(magic + rest)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.sampled_from(SEEDS), changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6))
def test_damaged_files_get_an_answer(seed, changes):
    damaged = bytearray(seed)
    for where, value in changes:
        damaged[int(where * (len(damaged) - 1))] = value
    _is_an_answer(bytes(damaged))


@settings(max_examples=100, deadline=None)
@given(seed=st.sampled_from(SEEDS), where=st.floats(0, 1), inserted=st.binary(min_size=1, max_size=64))
def test_files_with_bytes_put_in_get_an_answer(seed, where, inserted):
    at = int(where * len(seed))
    _is_an_answer(seed[:at] + inserted + seed[at:])


def test_the_files_of_these_tests_can_be_read_by_pillow():
    for data in SEEDS:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
