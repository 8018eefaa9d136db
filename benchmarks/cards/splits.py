"""Train, dev and test: seeds, fonts, pictogram sets, backgrounds and manners that never meet.

What is disjoint: the seeds; the font families (a design and its descendants stay together: AR PL KaitiM GB and AR PL
UKai); the pictogram sets; the painters of backgrounds and of busy pictures, the borders and the rulings of notepaper;
the colours of ink. The *names* of styles and layouts are shared, for "recall on curved text" must mean the same thing
everywhere; their *measures* (stroke widths, radii, amplitudes, angles, contrast; manners.py) come from intervals that
do not overlap between train and test and interleave, so that test is neither easier nor harder, only never seen.
Shared by all: the fall-back fonts for characters that no greeting-card font has (mathematical letters, other scripts).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from benchmarks.cards.fonts import Face


class Split(StrEnum):
    """What a card is for. Nothing is trained or tuned on TEST, nothing is trained on DEV."""

    TRAIN = "train"
    DEV = "dev"
    TEST = "test"

    @property
    def seeds(self) -> range:
        """The seeds of this split's cards."""
        return _SEEDS[self]


_SEEDS = {
    Split.TRAIN: range(0, 1_000_000),
    Split.DEV: range(1_000_000, 2_000_000),
    Split.TEST: range(2_000_000, 3_000_000),
}


@dataclass(frozen=True, slots=True)
class Faces:
    """The faces of one split, by use. Chinese ones have Latin letters too; Latin ones write Latin text alone."""

    chinese: tuple[Face, ...]
    chinese_artistic: tuple[Face, ...]  # brush, Kai, display
    chinese_hand: tuple[Face, ...]
    latin: tuple[Face, ...]
    latin_artistic: tuple[Face, ...]
    latin_hand: tuple[Face, ...]

    @property
    def all(self) -> tuple[Face, ...]:
        return (
            *(*self.chinese, *self.chinese_artistic, *self.chinese_hand),
            *(*self.latin, *self.latin_artistic, *self.latin_hand),
        )


def _noto(family: str, *weights: str) -> tuple[Face, ...]:
    return tuple(Face(f"opentype/noto/Noto{family}CJK-{weight}.ttc", 2) for weight in weights)


def _open(folder: str, *names: str) -> tuple[Face, ...]:
    return tuple(Face(f"opentype/{folder}/{name}.otf") for name in names)


def _true(folder: str, *names: str) -> tuple[Face, ...]:
    return tuple(Face(f"truetype/{folder}/{name}.ttf") for name in names)


FACES: Mapping[Split, Faces] = {
    Split.TRAIN: Faces(
        chinese=(*_noto("Sans", "Regular", "Bold"), Face("truetype/arphic/uming.ttc")),
        chinese_artistic=(
            Face("truetype/arphic/ukai.ttc"),
            *_true("arphic-gkai00mp", "gkai00mp"),
            *_true("aoyagi-kouzan-t", "AoyagiKouzanT"),
            *_true("reggae", "ReggaeOne-Regular"),
        ),
        chinese_hand=(*_true("yusei-magic", "YuseiMagic-Regular"), *_true("yozvox-yozfont", "YOzBSF")),
        latin=(
            *_true("open-sans", "OpenSans-Regular", "OpenSans-Bold", "OpenSans-CondBold"),
            *_open("roboto/slab", "RobotoSlab-Regular", "RobotoSlab-Bold"),
            *_open("cabin", "Cabin-Bold", "Cabin-Italic"),
        ),
        latin_artistic=(
            *_open("dancingscript", "DancingScript-Regular", "DancingScript-Bold"),
            *_open("lobster", "lobster"),
            *_open("lobstertwo", "LobsterTwo-Bold", "LobsterTwo-BoldItalic"),
            *_true("leckerli-one", "LeckerliOne-Regular"),
        ),
        latin_hand=(*_open("comic-neue", "ComicNeue-Regular", "ComicNeue-Bold"), *_true("sjfonts", "SteveHand")),
    ),
    Split.DEV: Faces(
        chinese=(Face("truetype/wqy/wqy-microhei.ttc"), *_true("cns11643", "TW-Sung-98_1")),
        chinese_artistic=_true("cns11643", "TW-Kai-98_1"),
        chinese_hand=_true("cns11643", "TW-Kai-98_1"),
        latin=(
            *_true("quicksand", "Quicksand-Medium", "Quicksand-Bold"),
            *_open("ebgaramond", "EBGaramond12-Regular", "EBGaramond12-Bold"),
            *_open("dosis", "Dosis-Medium", "Dosis-Bold"),
        ),
        latin_artistic=(*_true("comfortaa", "Comfortaa-Bold"), *_true("rufscript", "Rufscript010")),
        latin_hand=(*_true("breip", "Breip"), *_true("humor-sans", "Humor-Sans")),
    ),
    Split.TEST: Faces(
        chinese=(
            *_noto("Serif", "Regular", "Bold"),
            Face("truetype/wqy/wqy-zenhei.ttc"),
        ),
        chinese_artistic=(
            *_true("lxgw-wenkai", "LXGWWenKai-Regular", "LXGWWenKai-Bold"),
            *_true("smiley-sans", "SmileySans-Oblique"),
        ),
        chinese_hand=(*_true("seto", "setofont"), *_true("lxgw-wenkai", "LXGWWenKai-Light")),
        latin=(
            *_true("lato", "Lato-Regular", "Lato-Bold"),
            *_open("play", "Play-Regular", "Play-Bold"),
            *_open("cantarell", "Cantarell-Regular", "Cantarell-ExtraBold"),
            *_open("league-spartan", "LeagueSpartan-Bold"),
        ),
        latin_artistic=(
            *_open("kaushanscript", "KaushanScript-Regular"),
            *_true("okolaks", "okolaksBold"),
            *_true("cabinsketch", "CabinSketch-Bold"),
        ),
        latin_hand=(*_true("tomsontalks", "TomsonTalks"), *_true("femkeklaver", "femkeklaver")),
    ),
}

FALLBACK: tuple[Face, ...] = (
    *_true("dejavu", "DejaVuSans"),
    *_true("freefont", "FreeSerif", "FreeSans"),
    *_true("hanazono", "HanaMinA"),
)

PICTOGRAMS: Mapping[Split, tuple[str, ...]] = {
    Split.TRAIN: ("twemoji", "noto", "noto-v1", "emojione", "fxemoji"),
    Split.DEV: ("fluent-emoji-high-contrast",),
    Split.TEST: ("fluent-emoji-flat", "openmoji", "@lobehub/fluent-emoji-3d"),
}
"""Emoji sets on npm, Iconify's unless named in full. Emoji inside a text are drawn from the first set that has them."""
