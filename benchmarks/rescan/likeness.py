"""How like the same picture is to itself once it was passed on, and how like two pictures are: writes
out/bench/likeness.json, from which the defaults of the known-bad bank and of `gatepostd find` were chosen.

Cards of the dev seeds. "The same template with other words" is what a seller's other customers send: no example should
stop these by its embedding.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks import targets
from benchmarks.cards import LOOKS, Split, Wanted, compose
from benchmarks.cards.__main__ import TEXTS
from benchmarks.targets import Target, reported
from gatepost_server.cli.settings import default_repository
from gatepost_server.domain.errors import GatepostError
from gatepost_server.domain.known_bad import COSINE, PDQ_DISTANCE
from gatepost_server.policy.bank import LEAST_QUALITY, hash_bits
from gatepost_server.serving.ensemble import built
from gatepost_server.stages.base import text_array
from gatepost_server.stages.clip import Clip
from gatepost_server.stages.decode import DecodeStage
from gatepost_server.tensors.facts import decode_facts

COMMAND = "python -m benchmarks.rescan.likeness"
REPORT = targets.OUT / "bench" / "likeness.json"
COSINES = (0.85, 0.88, 0.90, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99)

Pixels = NDArray[np.uint8]  # height, width, RGB


@dataclass(frozen=True, slots=True)
class Seen:
    """What the bank compares of one picture."""

    hash: NDArray[np.uint8]  # 256 bits
    quality: int
    embedding: NDArray[np.float64]


class Eyes:
    """Decode and the image net, without a server."""

    def __init__(self) -> None:
        repository = default_repository()
        self._decode = built(DecodeStage, repository / DecodeStage.contract.model, os.environ)
        self._clip = built(Clip, repository / Clip.contract.model, os.environ)

    def see(self, file: bytes) -> Seen:
        """Raises GatepostError."""
        decoded = self._decode.run([{"IMAGE": text_array([file])}])[0]
        if isinstance(decoded, GatepostError):
            raise decoded
        looked = self._clip.run([{"CLIP_PIXELS": decoded.arrays["CLIP_PIXELS"], "PROMPT": text_array([""])}])[0]
        if isinstance(looked, GatepostError):
            raise looked
        facts = decode_facts(decoded.arrays["IMAGE_FACTS"][0])
        embedding = np.asarray(looked.arrays["EMBEDDING"], np.float64).ravel()
        return Seen(hash_bits([facts.pdq])[0], facts.pdq_quality, embedding)


def jpeg(pixels: Pixels, quality: int = 90) -> bytes:
    """As a file."""
    done, data = cv2.imencode(".jpg", np.ascontiguousarray(pixels[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("OpenCV could not write a JPEG")
    return data.tobytes()


def cropped(pixels: Pixels, share: float) -> Pixels:
    """Without so much of each side."""
    height, width = (round(side * share) for side in pixels.shape[:2])
    return pixels[height:-height, width:-width]


def framed(pixels: Pixels) -> Pixels:
    """A screenshot of it: bars above and below."""
    bar = pixels.shape[0] // 8
    return np.asarray(cv2.copyMakeBorder(pixels, bar, bar, 0, 0, cv2.BORDER_CONSTANT, value=(20, 20, 20)), np.uint8)


PASSED_ON: Mapping[str, Callable[[Pixels], bytes]] = {
    "JPEG of quality 40": lambda pixels: jpeg(pixels, 40),
    "half the size": lambda pixels: jpeg(
        np.asarray(cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    ),
    "brighter": lambda pixels: jpeg(np.asarray(cv2.convertScaleAbs(pixels, alpha=1.15, beta=12), np.uint8)),
    "cropped by 3 % a side": lambda pixels: jpeg(cropped(pixels, 0.03)),
    "cropped by 10 % a side": lambda pixels: jpeg(cropped(pixels, 0.10)),
    "bars above and below": lambda pixels: jpeg(framed(pixels)),
}


def main() -> int:
    """Measure, write, show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cards", type=int, default=60)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    eyes = Eyes()
    originals: list[Seen] = []
    alike: dict[str, list[tuple[Seen, Seen]]] = {name: [] for name in PASSED_ON}
    reworded: list[tuple[Seen, Seen]] = []
    styles = list(LOOKS)
    for number in range(options.cards):
        style, seed = styles[number % len(styles)], Split.DEV.seeds[number]
        # Two texts of one shape, so that the template does not change with them.
        text = TEXTS[number % 4]
        pixels = compose(Wanted(text, style=style), seed, Split.DEV).pixels
        original = eyes.see(jpeg(pixels))
        originals.append(original)
        for name, change in PASSED_ON.items():
            alike[name].append((original, eyes.see(change(pixels))))
        other = compose(Wanted(TEXTS[(number + 1) % 4], style=style), seed, Split.DEV).pixels
        reworded.append((original, eyes.see(jpeg(other))))
    pairs = list(itertools.combinations(range(options.cards), 2))
    of_one_style = [(a, b) for a, b in pairs if (a - b) % len(styles) == 0]
    of_two = [(a, b) for a, b in pairs if (a - b) % len(styles)]
    kinds = {
        **alike,
        "the same template with other words": reworded,
        "two cards of one style": [(originals[a], originals[b]) for a, b in of_one_style],
        "two cards of two styles": [(originals[a], originals[b]) for a, b in of_two],
    }
    rows = [target for name, found in kinds.items() for target in told(name, found)]
    curve = [{"cosine": limit} | {name: share(found, limit) for name, found in kinds.items()} for limit in COSINES]
    targets.write(REPORT, rows, cards=options.cards, hit_by_cosine=curve)
    targets.show(rows, "likeness")
    table = Table("cosine from", *(f"{limit:.2f}" for limit in COSINES), title="hit, %")
    for name in kinds:
        table.add_row(name, *(f"{100 * point[name]:.1f}" for point in curve))
    Console().print(table)
    return 0


def told(name: str, pairs: Sequence[tuple[Seen, Seen]]) -> list[Target]:
    """What the bank's defaults do with such pairs, and how like they are."""
    cosines = [float(a.embedding @ b.embedding) for a, b in pairs]
    near = [
        min(a.quality, b.quality) >= LEAST_QUALITY and int((a.hash != b.hash).sum()) <= PDQ_DISTANCE for a, b in pairs
    ]
    low, middle, high = (float(value) for value in np.quantile(cosines, (0.05, 0.5, 0.95)))
    return [
        reported(f"{name}: cosine, half are above", middle, "", COMMAND, low=low, high=high),
        reported(f"{name}: hit by the embedding", 100 * float(np.mean(np.array(cosines) >= COSINE)), "%", COMMAND),
        reported(f"{name}: hit by PDQ", 100 * float(np.mean(near)), "%", COMMAND),
    ]


def share(pairs: Sequence[tuple[Seen, Seen]], limit: float) -> float:
    """Of the pairs, how many are as like as that."""
    return float(np.mean([float(a.embedding @ b.embedding) >= limit for a, b in pairs]))


if __name__ == "__main__":
    sys.exit(main())
