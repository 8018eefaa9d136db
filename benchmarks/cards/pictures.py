"""Pictograms and clip art for cards, from the split's sets.

The sets are npm packages in training's cache (training/clip/sources.py): Iconify's drawings, and for test one of
rendered three-dimensional pictures. Debian's openclipart is train's alone. `fetch` installs those of a split.
"""

from __future__ import annotations

import io
import json
import random
import re
import subprocess
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import resvg_py
from numpy.typing import NDArray
from PIL import Image

from benchmarks.cards.splits import PICTOGRAMS, Split
from gatepost_server.domain.labels import Category
from training.clip import sources

CACHE = Path.home() / ".cache" / "gatepost" / "training"
Sprite = NDArray[np.uint8]  # side, side, 4 RGBA

KIND: tuple[str, ...] = (
    *("1F382", "1F370", "1F9C1", "1F36D", "1F36C", "1F388", "1F389", "1F38A", "1F381", "1F384", "1F386", "1F387"),
    *("1F490", "1F339", "1F337", "1F338", "1F33B", "1F33C", "1F33A", "1F340", "1F31F", "2B50", "2728", "1F308"),
    *("1F3EE", "1F9E7", "1F34A", "1F95F", "1F375", "1F96E", "1F409", "1F432", "1F42F", "1F430", "1F407", "1F411"),
    *("2764", "1F496", "1F49D", "1F48C", "1F48D", "1F490", "1F54A", "1F98B", "1F41F", "1F420", "1F431", "1F436"),
    *("1F43C", "1F425", "1F9F8", "1F393", "1F451", "1F3B5", "1F3C6", "2600", "1F319", "2744", "26C4", "1F385"),
)
"""Decorations of greeting cards."""

TRICKY: tuple[str, ...] = (
    *("1F9E8", "1F528", "1FA9B", "1F527", "1F58C", "1F374", "1F37D", "1F944", "2702", "1F4A5", "1F525", "1F47B"),
    *("1F383", "1F37E", "1F942", "1F336", "1F955", "1F44A", "1F44D", "1F446", "1F4AA", "1F680", "1F3A3", "1F56F"),
)
"""Harmless pictures that are easily taken for harmful ones: tools, firecrackers, raised fingers, ghosts."""

RISKY: Mapping[Category, tuple[str, ...]] = {
    Category.WEAPONS: ("1F52A", "1F5E1", "2694", "1F4A3"),
    Category.DRUGS: ("1F489", "1F48A", "1F6AC"),
    Category.ILL_OMEN: ("1F480", "2620", "26B0", "1FAA6", "26B1"),
    Category.INSULT: ("1F595",),
}
"""Pictures that a greeting card must not show, by category. Ambiguous ones (water pistol, axe, zombie) are left out."""


BLACK: frozenset[Split] = frozenset({Split.DEV})
"""Splits whose set draws black shapes, to be inked as the card needs."""

_CLIPART_FOLDERS = ("food", "plants/flowers", "recreation/holidays", "recreation/party", "recreation/music")
_SIZES = (32, 64, 128, 256, 512)  # rendered at one of these, then shrunk: few renderings a picture


class PictureMissingError(RuntimeError):
    """No set of the split draws this picture, or the sets are not installed (`python -m benchmarks.cards.fetch`)."""


def fetch(split: Split, cache: Path = CACHE) -> None:
    """Install the split's sets and the emoji names with npm (train's clip art too), unless they are there."""
    packages = {_package(name): _folder(name, cache) for name in PICTOGRAMS[split]}
    packages["emojibase-data"] = sources.emojibase(cache, "en").parents[1]
    missing = [package for package, folder in packages.items() if not folder.exists()]
    if missing:
        folder = cache / "npm"
        folder.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), *missing]
        subprocess.run(install, check=True)
    if split is Split.TRAIN and not sources.openclipart(cache, "png").exists():
        sources.fetch(cache)


def sprite(name: str, split: Split, pixels: int, rng: random.Random | None = None) -> Sprite:
    """The picture at a side of `pixels`, from one of the split's sets: drawn by `rng`, else the first that has it.

    `name` is an emoji's code points ("1F52A"), its English name, or one of `clipart`.
    """
    size = next((size for size in _SIZES if size >= pixels), _SIZES[-1])
    if name.startswith(_CLIP):
        large = _clip(name, size)
    else:
        code = code_of(name)
        able = [one for one in PICTOGRAMS[split] if _set(one).has(code)]
        if not able:
            raise PictureMissingError(f"no set of {split} draws {name}: {', '.join(PICTOGRAMS[split])}")
        large = _rendered(rng.choice(able) if rng else able[0], code, size)
    return large if size == pixels else _resized(large, pixels)


def drawn(code: str, split: Split) -> bool:
    """Whether some set of the split has this emoji."""
    return any(_set(name).has(code_of(code)) for name in PICTOGRAMS[split])


def code_of(name: str) -> str:
    """Code points in upper-case hex joined by "-", without the variation selector, of a code or an English name."""
    if re.fullmatch(r"(?=.*\d)[0-9A-Fa-f]{2,6}(-[0-9A-Fa-f]{2,6})*", name):
        return _plain(name)
    try:
        return _names()[name.lower()]
    except KeyError:
        raise PictureMissingError(f"{name!r} is neither an emoji's code points nor its English name") from None


_CLIP = "clip:"


@lru_cache(maxsize=1)
def clipart() -> tuple[str, ...]:
    """The names of kind clip art (food, flowers, feasts, music), for train alone."""
    root = sources.openclipart(CACHE, "png")
    if not root.is_dir():
        raise PictureMissingError(f"{root} is not there: python -m benchmarks.cards.fetch")
    paths = (path for folder in _CLIPART_FOLDERS for path in (root / folder).rglob("*.png"))
    return tuple(sorted(_CLIP + path.relative_to(root).as_posix() for path in paths if path.stat().st_size < 200_000))


@lru_cache(maxsize=256)
def _clip(name: str, pixels: int) -> Sprite:
    with Image.open(sources.openclipart(CACHE, "png") / name.removeprefix(_CLIP)) as image:
        picture = image.convert("RGBA")
    picture.thumbnail((pixels, pixels))
    square = Image.new("RGBA", (pixels, pixels))
    square.paste(picture, ((pixels - picture.width) // 2, (pixels - picture.height) // 2))
    return np.asarray(square)


def _resized(large: Sprite, pixels: int) -> Sprite:
    """Colours weighted by opacity, so that edges stay clean."""
    alpha = large[..., 3:].astype(np.float32)
    both = cv2.resize(
        np.dstack([large[..., :3] * (alpha / 255), alpha]), (pixels, pixels), interpolation=cv2.INTER_AREA
    )
    both[..., :3] *= 255 / np.maximum(both[..., 3:], 1)
    return np.asarray(both.round().clip(0, 255).astype(np.uint8))


def _plain(code: str) -> str:
    return "-".join(part for part in code.upper().split("-") if part != "FE0F")


@lru_cache(maxsize=1)
def _names() -> Mapping[str, str]:
    path = sources.emojibase(CACHE, "en")
    if not path.is_file():
        raise PictureMissingError("the names of emoji are not installed: python -m benchmarks.cards.fetch")
    return {row["label"].lower(): _plain(row["hexcode"]) for row in json.loads(path.read_text(encoding="utf-8"))}


def _package(name: str) -> str:
    return name if name.startswith("@") else f"@iconify-json/{name}"


def _folder(name: str, cache: Path) -> Path:
    return cache / "npm" / "node_modules" / name if name.startswith("@") else sources.iconify(cache, name)


class _Set(Protocol):
    def has(self, code: str) -> bool: ...

    def render(self, code: str, pixels: int) -> Image.Image: ...


class _Rendered:
    """A package of one WebP picture an emoji, named by its code points."""

    def __init__(self, folder: Path) -> None:
        self._paths = {_plain(path.stem): path for path in (folder / "assets").glob("*.webp")}

    def has(self, code: str) -> bool:
        return code in self._paths

    def render(self, code: str, pixels: int) -> Image.Image:
        with Image.open(self._paths[code]) as image:
            return image.convert("RGBA").resize((pixels, pixels), Image.Resampling.LANCZOS)


class _Icons:
    """One Iconify set of emoji."""

    def __init__(self, folder: Path) -> None:
        data = json.loads((folder / "icons.json").read_text(encoding="utf-8"))
        chars = json.loads((folder / "chars.json").read_text(encoding="utf-8"))
        self._icons: dict[str, dict[str, Any]] = data["icons"]
        self._aliases: dict[str, dict[str, Any]] = data.get("aliases", {})
        self._size = (data.get("width", 16), data.get("height", 16))
        self._by_code = {_plain(code): icon for code, icon in chars.items()}

    def has(self, code: str) -> bool:
        return self._icon(code) is not None

    def render(self, code: str, pixels: int) -> Image.Image:
        icon = self._icon(code)
        if icon is None:
            raise KeyError(code)
        width, height = icon.get("width", self._size[0]), icon.get("height", self._size[1])
        svg = (
            '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'viewBox="{icon.get("left", 0)} {icon.get("top", 0)} {width} {height}">'
            f"{str(icon['body']).replace('currentColor', '#222')}</svg>"
        )
        image = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg, width=pixels, height=pixels))))
        return (
            image.convert("RGBA") if image.size == (pixels, pixels) else image.convert("RGBA").resize((pixels, pixels))
        )

    def _icon(self, code: str) -> dict[str, Any] | None:
        name = self._by_code.get(code, "")
        return self._icons.get(name) or self._icons.get(str(self._aliases.get(name, {}).get("parent", "")))


@lru_cache(maxsize=16)
def _set(name: str) -> _Set:
    folder = _folder(name, CACHE)
    if not folder.is_dir():
        raise PictureMissingError(f"{folder} is not installed: python -m benchmarks.cards.fetch")
    return _Rendered(folder) if name.startswith("@") else _Icons(folder)


@lru_cache(maxsize=512)
def _rendered(name: str, code: str, pixels: int) -> Sprite:
    return np.asarray(_set(name).render(code, pixels))
