"""The fonts, and which of them can write a text."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont

from benchmarks.cards.lettering import Ink

ROOT = Path("/usr/share/fonts")
_LOOKED_AT = 24  # pixels


class FontMissingError(RuntimeError):
    """A font of the generator is not installed; `make fonts` installs them."""


@dataclass(frozen=True, slots=True)
class Face:
    """One face of a font file, below /usr/share/fonts. A lettering.Pen."""

    file: str
    index: int = 0

    def at(self, size: int) -> ImageFont.FreeTypeFont:
        return _loaded(self, size)

    def can_write(self, text: str) -> bool:
        """Whether there is ink for every character: some fonts list characters that nobody has drawn yet."""
        return all(character.isspace() or _has_ink(self, character) for character in text)

    def parts(self, text: str) -> Sequence[str]:
        return text

    def length(self, text: str, size: int) -> float:
        return self.at(size).getlength(text)

    def box(self, text: str, size: int) -> tuple[float, float, float, float]:
        return self.at(size).getbbox(text, anchor="ls")

    def write(self, image: Image.Image, at: tuple[float, float], text: str, size: int, ink: Ink, anchor: str) -> None:
        ImageDraw.Draw(image).text(
            at, text, ink.fill, self.at(size), anchor, stroke_width=ink.outline_width, stroke_fill=ink.outline
        )


CHINESE = (
    Face("opentype/noto/NotoSansCJK-Regular.ttc", 2),
    Face("opentype/noto/NotoSansCJK-Bold.ttc", 2),
    Face("opentype/noto/NotoSerifCJK-Bold.ttc", 2),
    Face("truetype/arphic/uming.ttc"),
    Face("truetype/wqy/wqy-microhei.ttc"),
    Face("truetype/wqy/wqy-zenhei.ttc"),
)
CHINESE_BRUSH = (
    Face("truetype/lxgw-wenkai/LXGWWenKai-Bold.ttf"),
    Face("truetype/lxgw-wenkai/LXGWWenKai-Regular.ttf"),
    Face("truetype/lxgw-wenkai/LXGWWenKai-Light.ttf"),
    Face("truetype/arphic/ukai.ttc"),
)
LATIN_SCRIPT = (
    Face("opentype/dancingscript/DancingScript-Regular.otf"),
    Face("opentype/dancingscript/DancingScript-Bold.otf"),
    Face("opentype/kaushanscript/KaushanScript-Regular.otf"),
    Face("opentype/lobster/lobster.otf"),
    Face("truetype/leckerli-one/LeckerliOne-Regular.ttf"),
    Face("truetype/comfortaa/Comfortaa-Bold.ttf"),
)


def choose(rng: random.Random, faces: Sequence[Face], text: str) -> Face:
    """One of `faces` that has every character of `text`, else one of the plain Chinese ones."""
    able = [face for face in faces if face.can_write(text)]
    return rng.choice(able or [face for face in CHINESE if face.can_write(text)])


@lru_cache(maxsize=256)
def _loaded(face: Face, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_path(face)), size, index=face.index)


@lru_cache(maxsize=65536)
def _has_ink(face: Face, character: str) -> bool:
    return ord(character) in _coverage(face) and face.at(_LOOKED_AT).getmask(character).getbbox() is not None


@lru_cache(maxsize=64)
def _coverage(face: Face) -> frozenset[int]:
    path = _path(face)
    with TTFont(path, lazy=True, fontNumber=face.index if path.suffix == ".ttc" else -1) as font:
        return frozenset(font.getBestCmap())


def _path(face: Face) -> Path:
    path = ROOT / face.file
    if not path.is_file():
        raise FontMissingError(f"{path} is not installed: run `make fonts`")
    return path
