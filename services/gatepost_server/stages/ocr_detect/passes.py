"""Where the detector looks: the whole image small, and closer where that may not do; full-size tiles of large ones; and
once more for faint text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.stages.ocr_detect.columns import SQUEEZED, Block, doubtful_blocks, is_column, runs_across
from gatepost_server.stages.ocr_detect.regions import Floats, Region, Thresholds, find_regions
from gatepost_server.stages.ocr_detect.rounds import Look, Search

Pixels = NDArray[np.uint8]  # height, width, 3

MULTIPLE = 32  # the net halves its input five times
OVERLAP = 128  # pixels that neighbouring tiles share; small text is cut by no more than one of them
SMALL = 28.0  # pixels: lines up to this height are better seen in the tiles than in the whole
FULL_SIZE = 0.8  # above this scale of the whole image, tiles would show little more
LOW = 24.0  # pixels: what is this low in the first look may be small print, and is looked at more closely
UNSURE = 0.6  # score of a region of the first look, below which a closer look may see something else
BENT = 0.75  # fill of its rectangle, below which a region may be bent: its middle is followed more surely at full size
TRACE = Thresholds(pixel=0.1, region=0.15)  # what may be text too small for the first look
LETTER = 64.0  # pixels: height to which letters are reduced for the look at columns
SAME = 0.5  # share of a region that earlier regions cover, from which it is the same text
MOSTLY = 0.75  # the same for a region of the first look: rather a line twice than its beginning lost
LARGER, LARGEST = 1.2, 2.0  # scales: a small image is made that much larger for letters without neighbours
MASK_SIDE = 1024  # resolution of that comparison


@dataclass(frozen=True, slots=True)
class Found:
    """A region, and whether only the pass for faint text saw it."""

    region: Region
    faint: bool = False


class Detector:
    """Finds the lines of one image, asking for the net's maps as it goes (rounds.together). Pure but for that.

    Each side bounds the work by pixels: side x side. `side` is that of a whole look, `first_side` of a smaller one
    before it (0: none), `contrast_side` of the pass for faint text (0: none).
    """

    def __init__(self, *, side: int, contrast_side: int, thresholds: Thresholds, first_side: int = 0) -> None:
        self._side = side
        self._first_side = first_side
        self._contrast_side = contrast_side
        self._thresholds = thresholds

    def find(self, image: Pixels) -> Search[list[Found]]:
        """Regions of `image` (H, W, 3 BGR), each once, in the order of trust. Raises GatepostError (INTERNAL)."""
        scale = fitting_scale(image, self._side)
        first, will_do = yield from self._first_look(image, scale)
        whole = first if will_do else (yield from self._regions(image, resized(image, scale)))
        if scale < FULL_SIZE:
            tiled = yield from self._tiled(image)
            small = [region for region in tiled if region.height <= SMALL]
            large = [region for region in tiled if region.height > SMALL]
            passes = [small, whole, large]
        else:
            passes = [whole]
        taken = Taken(image)
        seen = [region for regions in passes for region in taken.fresh(regions)]
        if not will_do:
            seen += taken.fresh(first, MOSTLY)
        found = [Found(region) for region in (yield from self._columns_apart(image, seen))]
        if self._contrast_side:
            enhanced = with_local_contrast(resized(image, fitting_scale(image, self._contrast_side)).pixels())
            if np.ptp(enhanced):  # one flat colour is no text, though the net may say so of dark ones
                faint = yield from self._regions(image, Look(enhanced))
                found += [Found(region, faint=True) for region in taken.fresh(faint)]
        return found

    def enlarged(self, image: Pixels) -> Search[list[Found]]:
        """Every trace of text in a small image made as large as the detector takes it; none of a large image."""
        scale = fitting_scale(image, self._side, LARGEST)
        if scale < LARGER:
            return []
        probability = yield from _map(resized(image, scale))
        return [Found(region) for region in find_regions(probability, _factor(image, probability), TRACE)]

    def _first_look(self, image: Pixels, scale: float) -> Search[tuple[list[Region], bool]]:
        """Regions of a smaller copy than one at `scale`, and whether no closer look is needed.

        It is where the copy shows nothing, a region that is unsure or may be bent, or anything low, be it a trace; and
        where tiles will be looked at anyway.
        """
        smaller = fitting_scale(image, self._first_side) if self._first_side else scale
        if scale < FULL_SIZE or smaller > FULL_SIZE * scale:
            return [], False
        probability = yield from _map(resized(image, smaller))
        factor = _factor(image, probability)
        regions = find_regions(probability, factor, self._thresholds)
        if not regions or any(region.score < UNSURE or region.fill < BENT for region in regions):
            return regions, False
        taken = Taken(image)
        seen = list(taken.fresh(regions))
        traces = taken.fresh(find_regions(probability, factor, TRACE))
        return regions, all(min(each.height, each.thickness) >= LOW for each in (*seen, *traces))

    def _columns_apart(self, image: Pixels, regions: list[Region]) -> Search[list[Region]]:
        """`regions`, those that run across columns replaced by the columns."""
        seen = regions
        for block in doubtful_blocks(image, seen):
            members = [seen[index] for index in block.members]
            columns = [region for region in (yield from self._squeezed(image, block)) if is_column(region)]
            left = [region for region in members if not runs_across(region, columns)]
            taken = Taken(image)
            apart = [*taken.fresh(columns), *taken.fresh(left)]
            regions = [region for region in regions if not any(region is member for member in members)] + apart
        return regions

    def _squeezed(self, image: Pixels, block: Block) -> Search[list[Region]]:
        """Regions of one block as its copy of less height shows them."""
        window = block.of(image)
        scale = min(1.0, LETTER / block.line)
        size = (round(window.shape[1] * scale), round(window.shape[0] * scale * SQUEEZED))
        small = cv2.resize(window, size, interpolation=cv2.INTER_AREA)
        padded = cv2.copyMakeBorder(small, 0, -size[1] % MULTIPLE, 0, -size[0] % MULTIPLE, cv2.BORDER_REPLICATE)
        factor = (window.shape[1] / size[0], window.shape[0] / size[1])
        probability = yield from _map(Look(np.asarray(padded, dtype=np.uint8)))
        found = find_regions(probability[: size[1], : size[0]], factor, self._thresholds)
        return [region.moved(block.left, block.top) for region in found]

    def _regions(self, image: Pixels, small: Look) -> Search[list[Region]]:
        """Regions of `image` as its copy of another size shows them."""
        probability = yield from _map(small)
        return find_regions(probability, _factor(image, probability), self._thresholds)

    def _tiled(self, image: Pixels) -> Search[list[Region]]:
        """Regions at full size: the maps of overlapping tiles are joined first, so that no line is cut."""
        height, width = image.shape[:2]
        padded = cv2.copyMakeBorder(image, 0, -height % MULTIPLE, 0, -width % MULTIPLE, cv2.BORDER_REPLICATE)
        joined = np.zeros(padded.shape[:2], dtype=np.float32)
        for rows in tile_spans(padded.shape[0], self._side):
            for columns in tile_spans(padded.shape[1], self._side):
                tile = yield from _map(Look(np.ascontiguousarray(padded[rows, columns], dtype=np.uint8)))
                np.maximum(joined[rows, columns], tile, out=joined[rows, columns])
        return find_regions(joined[:height, :width], (1.0, 1.0), self._thresholds)


def _map(look: Look) -> Search[Floats]:
    """What the net makes of one look: probabilities (H, W)."""
    probability = yield look
    if not np.isfinite(probability.max()):  # compared with a threshold, NaN would look like a picture without text
        raise GatepostError(ErrorCode.INTERNAL, ErrorReason.MODEL_OUTPUT_INVALID, "the detector gave no numbers")
    return probability


def _factor(image: Pixels, probability: Floats) -> tuple[float, float]:
    """Pixels of the image for each of the map, in x and y."""
    return image.shape[1] / probability.shape[1], image.shape[0] / probability.shape[0]


class Taken:
    """The parts of an image in which text was found already."""

    def __init__(self, image: Pixels) -> None:
        height, width = image.shape[:2]
        self._scale = min(1.0, MASK_SIDE / max(height, width))
        self._mask = np.zeros((math.ceil(height * self._scale) + 1, math.ceil(width * self._scale) + 1), np.uint8)

    def fresh(self, regions: Iterable[Region], same: float = SAME) -> Iterator[Region]:
        """Those of `regions` that lie mostly elsewhere; regions of one call do not exclude each other.

        `same` is the share of a region that was seen, from which it is seen itself.
        """
        before = self._mask.copy()
        for region in regions:
            points = np.round(region.contour * self._scale).astype(np.int32).reshape(-1, 1, 2)
            x, y, width, height = cv2.boundingRect(points)
            window = np.s_[max(0, y) : y + height, max(0, x) : x + width]
            own = np.zeros_like(before[window])
            cv2.drawContours(own, [points - (max(0, x), max(0, y))], -1, (1,), cv2.FILLED)
            if cv2.countNonZero(own & before[window]) < same * cv2.countNonZero(own):
                # Drawn a little fatter, for another pass sees the same line a little elsewhere.
                cv2.drawContours(self._mask, [points], -1, (1,), cv2.FILLED)
                cv2.drawContours(self._mask, [points], -1, (1,), max(1, round(region.height * self._scale / 4)))
                yield region


def fitting_scale(image: Pixels, side: int, largest: float = 1.0) -> float:
    """The scale, at most `largest`, at which the image has no more than side x side pixels."""
    height, width = image.shape[:2]
    return min(largest, side / math.sqrt(height * width))


def resized(image: Pixels, scale: float) -> Look:
    """`image` scaled to about `scale`, its sides multiples of MULTIPLE; a much smaller copy is averaged here."""
    height, width = image.shape[:2]
    rows, columns = (max(MULTIPLE, round(side * scale / MULTIPLE) * MULTIPLE) for side in (height, width))
    if (rows, columns) != (height, width) and scale < 0.6:
        return Look(np.asarray(cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA), dtype=np.uint8))
    return Look(image, (rows, columns))


def tile_spans(length: int, most: int) -> list[slice]:
    """Overlapping spans of at most about `most` that cover 0 to `length`, all multiples of MULTIPLE."""
    if length <= most + OVERLAP:
        return [slice(0, length)]
    count = math.ceil((length - OVERLAP) / (most - OVERLAP))
    size = math.ceil((length + (count - 1) * OVERLAP) / count / MULTIPLE) * MULTIPLE
    starts = [round(index * (length - size) / (count - 1) / MULTIPLE) * MULTIPLE for index in range(count)]
    return [slice(start, start + size) for start in starts]


def with_local_contrast(image: Pixels) -> Pixels:
    """`image` (BGR) with its lightness spread out locally (CLAHE, Zuiderveld 1994): faint text stands out."""
    lab = cv2.cvtColor(image, cv2.COLOR_BGR2LAB)
    lab[:, :, 0] = cv2.createCLAHE(6, (8, 8)).apply(lab[:, :, 0])
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2BGR), dtype=np.uint8)
