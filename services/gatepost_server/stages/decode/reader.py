"""One file to its upright views: header check, loading, sampling of frames."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image

from gatepost_server.domain.errors import GatepostError
from gatepost_server.domain.evidence import Skipped, View
from gatepost_server.domain.labels import Background
from gatepost_server.stages.decode import frames, pixels, views
from gatepost_server.stages.decode.containers.base import Header, corrupt
from gatepost_server.stages.decode.header import read_header
from gatepost_server.stages.decode.limits import Limits

# A long, narrow image whose short side shrinks below this many pixels cannot be read any more.
_READABLE_SIDE = 64
# Nor can ordinary text of an image that is shrunk to less than this: 30 pixels high becomes under 10.
_READABLE_SCALE = 1 / 3


@dataclass(frozen=True, slots=True)
class Looked:
    """The views of one image: `images` are RGB of equal size, one for each of `views`."""

    header: Header
    size: views.Size  # upright and whole, in pixels of the original
    views: tuple[View, ...]
    images: tuple[Image.Image, ...]
    skipped: tuple[Skipped, ...]
    alike: int = 0  # frames that show nothing but what a frame among the views shows
    left_out: int = 0  # frames that show something else, and are in no view


def forbid_silent_repairs() -> None:
    """Pillow's warnings that it shows something else than what the file says become errors, process-wide.

    Its others are dropped: they quote the file, and Python would remember each new one for as long as the stub lives.
    """
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
    warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
    warnings.filterwarnings("error", message="Invalid APNG")


def look(data: bytes, limits: Limits) -> Looked:
    """Raises GatepostError for what the header tells, and whatever Pillow raises for what the pixels tell."""
    header = read_header(data, limits)
    return _still(data, header, limits) if header.frames == 1 else _animation(data, header, limits)


def _open(data: bytes, header: Header, limits: Limits) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=[header.format])
    limits.check_size(*image.size)
    return image


def _still(data: bytes, header: Header, limits: Limits) -> Looked:
    with _open(data, header, limits) as image:
        # Viewers show only the first picture of a JPEG; of anything else they would show all.
        if header.format != "JPEG" and getattr(image, "n_frames", 1) != 1:
            raise _miscounted()
        # Scaled decoding of a JPEG averages in the DCT domain: as good as shrinking afterwards, and faster.
        image.draft(None, views.fit(image.size, limits.ocr_side))
        image.load()
        drafted = image.size
        orientation = pixels.orientation_of(image)
        simple = pixels.simple_mode(image)
        profile = image.info.get("icc_profile")
    papers = views.backgrounds(simple)
    target = views.fit_all(simple.size, limits.ocr_side, len(papers), limits.ocr_bytes)
    shown = pixels.upright(pixels.to_srgb(views.shrink(simple, target), profile), orientation)
    whole = drafted if header.format != "JPEG" else (header.width, header.height)
    size = (whole[1], whole[0]) if orientation >= 5 else whole
    return Looked(
        header,
        size,
        tuple(View(0, paper) for paper in papers),
        tuple(views.lay_on(shown, paper) for paper in papers),
        _unreadable(size, shown.size),
    )


def _animation(data: bytes, header: Header, limits: Limits) -> Looked:
    """Two passes, so that memory holds one whole frame at a time: what there is, then what was chosen."""
    signatures: list[frames.Signature] = []
    papers: list[Sequence[Background]] = []
    canvas = (1, 1)
    for simple in _frames(data, header, limits):
        signatures.append(views.signature(simple))
        papers.append(views.backgrounds(simple))
        canvas = max(canvas[0], simple.width), max(canvas[1], simple.height)
    limits.check_size(*canvas)
    chosen, left_out = frames.choose(signatures, [len(pair) for pair in papers], limits.max_views)
    looked_at = tuple(View(index, paper) for index in chosen for paper in papers[index])
    target = views.fit_all(canvas, limits.ocr_side, len(looked_at), limits.ocr_bytes)
    images: list[Image.Image] = []
    for index, simple in enumerate(_frames(data, header, limits)):
        if index in chosen:
            small = views.shrink(views.on_canvas(simple, canvas), target)
            images.extend(views.lay_on(small, paper) for paper in papers[index])
    skipped = _unreadable(canvas, target)
    if left_out:
        skipped += (Skipped(f"{left_out} of {header.frames} frames", f"more than {limits.max_views} distinct views"),)
    alike = header.frames - len(chosen) - left_out
    return Looked(header, canvas, looked_at, tuple(images), skipped, alike, left_out)


def _frames(data: bytes, header: Header, limits: Limits) -> Iterator[Image.Image]:
    """Every frame in order as it is shown: composed, in sRGB, upright; RGB or RGBA."""
    with _open(data, header, limits) as image:
        if getattr(image, "n_frames", 1) != header.frames:
            raise _miscounted()
        for index in range(header.frames):
            image.seek(index)
            image.load()
            limits.check_size(*image.size)
            simple = pixels.to_srgb(pixels.simple_mode(image), image.info.get("icc_profile"))
            turned = pixels.upright(simple, pixels.orientation_of(image))
            # The next seek writes over `image`, and a frame must outlive it.
            yield image.copy() if turned is image else turned


def _unreadable(whole: views.Size, shown: views.Size) -> tuple[Skipped, ...]:
    if min(shown) >= min(_READABLE_SIDE, min(whole)) and max(shown) >= _READABLE_SCALE * max(whole):
        return ()
    return (Skipped("small text", "the image is too large to be read in one piece"),)


def _miscounted() -> GatepostError:
    return corrupt("the file has another number of frames than its header says")
